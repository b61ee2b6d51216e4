package import Basics
import Glibc
package import Images
package import Layers
package import Linux
package import OCI
package import Stores

/// One layer of an image, as its config, manifest and the home tell it, or what a container wrote above them.
package struct ImageLayer: Sendable, Hashable {
    /// 1 is the lowest.
    package var number: Int
    /// `nil` of a container's own.
    package var diffID: Digest?
    /// The chain ID of the layers below; `nil` for the lowest.
    package var parentChain: Digest?
    /// The chain ID of this layer and those below; `nil` of a container's own.
    package var chain: Digest?
    /// Its blob, where the manifest has one.
    package var blob: Descriptor?
    /// `created_by` as the config has it; empty without a history.
    package var createdBy: String
    package var created: Timestamp?
    /// Bytes of its files, and of its tar; `nil` while it is not unpacked.
    package var size: LayerSize?

    /// The instruction as it was written, where the image was made here.
    package var written: String?
    /// The name of the container whose own changes these are.
    package var container: String?

    /// The Dockerfile's instruction: as written, or as far as `created_by` tells it.
    package var instruction: String { written ?? InstructionText.instruction(createdBy) }
    /// Its first line.
    package var headline: String {
        let lines = instruction.split(separator: "\n", maxSplits: 1)
        return (lines.first.map(String.init) ?? "") + (lines.count > 1 ? " …" : "")
    }
    /// Bytes of its files.
    package var bytes: Int64 { size?.content ?? 0 }
}

/// An image's layers, lowest first, and what a container has above them, with their file indexes read on demand.
///
/// For one thread.
package final class ImageLayers {
    package let image: Image
    /// The image as it was called, for messages.
    package let name: String
    /// The image's own.
    package let layers: [ImageLayer]
    /// What a container of the image wrote: the highest layer of the stack.
    package let own: ContainerLayer?
    package var form: OverlayForm { images.form }
    /// Told in a sentence what was mended on the way.
    package var note: (String) -> Void = { _ in }
    let images: ImageEngine
    private let remote: RemoteLayers?
    private var indexes: [Int: LayerIndex] = [:]
    private var directories: [Int: RootDirectory] = [:]

    /// `written` holds instructions as they were written, by layer number; `own` lies above the image's layers;
    /// `remote` fetches what is not here.
    package init(
        _ image: Image, name: String, images: ImageEngine, written: [Int: String] = [:],
        own: ContainerLayer? = nil, remote: RemoteLayers? = nil
    ) {
        self.image = image
        self.name = name
        self.images = images
        self.own = own
        self.remote = remote
        let steps = image.config.layerHistory
        let blobs = image.manifest.layers
        layers = LayerStore.stack(of: image.config).enumerated().map { position, layer in
            let step = position < steps.count ? steps[position] : nil
            return ImageLayer(
                number: position + 1, diffID: layer.diffID, parentChain: layer.parentChain,
                chain: Digest.chainID([layer.parentChain, layer.diffID].compactMap(\.self)) ?? layer.diffID,
                blob: position < blobs.count ? blobs[position] : nil, createdBy: step?.createdBy ?? "",
                created: step?.created, size: images.layerSize(layer.diffID, on: layer.parentChain),
                written: written[position + 1])
        }
    }

    /// The name for titles: an id is short there.
    package var displayName: String {
        name.utf8.count == 64 && name.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
            ? image.references.first?.familiar ?? String(name.prefix(12)) : name
    }

    /// What the stack is of, for titles.
    package var title: String { own.map { "\($0.record.name) (\(displayName))" } ?? displayName }

    /// What the stack is of, as commands take it: the container's name, or the image's.
    package var subject: String { own?.record.name ?? name }

    /// The image's settings, or the container's, whose command is what was run and not what it is.
    package var settings: ContainerConfig {
        let image = image.containerConfig
        guard var config = own?.record.config else { return image }
        (config.cmd, config.entrypoint, config.onBuild) = (image.cmd, image.entrypoint, image.onBuild)
        // A variable without `=` takes the image's away.
        config.env = config.env.map { $0.filter { $0.contains("=") } }
        return config
    }

    /// Whether the image lies in a registry.
    package var isRemote: Bool { remote != nil }
    /// How many layers the stack has, a container's own counted.
    package var count: Int { layers.count + (own == nil ? 0 : 1) }

    /// All layers of the stack, with a container's own on top; the container's changes are searched for that.
    ///
    /// Throws what finding a container's own changes throws.
    package func stack() throws(ShaleError) -> [ImageLayer] {
        guard let own, var top = ownLayer else { return layers }
        // No tar of it is written, so the tar's size is not known.
        top.size = LayerSize(tar: 0, content: try own.bytes())
        return layers + [top]
    }

    private var ownLayer: ImageLayer? {
        own.map { own in
            ImageLayer(
                number: count, parentChain: layers.last?.chain, createdBy: "", created: own.record.created,
                written: "the container's own changes", container: own.record.name)
        }
    }

    /// A layer by its number, a container's own without its size.
    ///
    /// Throws `notFound` for a number that is no layer's; the message names the range.
    package func layer(_ number: Int) throws(ShaleError) -> ImageLayer {
        if number >= 1, number <= layers.count { return layers[number - 1] }
        if number == count, let ownLayer { return ownLayer }
        let thing = own == nil ? "image" : "container"
        let range =
            switch count {
            case 0: "the image has no layers"
            case 1: "the \(thing) has one layer, #1"
            default: "the \(thing) has layers 1 to \(count)"
            }
        throw ShaleError(
            .notFound,
            "\(subject.visible)#\(number): no such layer: \(range)\(own == nil || count == 1 ? "" : ", the highest its own")",
            hint: "layers \(isRemote ? "--remote " : "")\(subject)")
    }

    /// All paths of a layer.
    ///
    /// Throws `notFound` for a number that is no layer's or a layer that is not unpacked, `corrupt` for an index that
    /// is damaged and cannot be made again, and what a registry's answer throws.
    package func index(_ number: Int) throws(ShaleError) -> LayerIndex {
        if let known = indexes[number] { return known }
        let layer = try layer(number)
        if layer.container != nil, let own { return try own.index() }
        let index: LayerIndex
        if let remote {
            index = try remote.index(number - 1)
        } else {
            index = try images.layerIndex(
                number - 1, of: image.config.rootfs.diffIDs, blob: layer.blob, note: note)
        }
        indexes[number] = index
        return index
    }

    /// All paths of a layer, if nothing need be fetched for them.
    ///
    /// Throws what ``index(_:)`` throws.
    package func knownIndex(_ number: Int) throws(ShaleError) -> LayerIndex? {
        guard let remote, indexes[number] == nil else { return try index(number) }
        return try remote.knownIndex(number - 1)
    }

    /// Opens a file; `entry` comes from the layer's index, `place` is its name in errors.
    func open(_ entry: LayerEntry, of number: Int, place: String) throws(ShaleError) -> OwnedFD {
        if let remote { return try remote.open(entry, in: number - 1) }
        let directory = try directory(number)
        return try translating(place) { try directory.openLiteral(entry.path, O_RDONLY | O_NONBLOCK) }
    }

    /// A layer's own unpacked tree, or the directory the container writes to.
    ///
    /// Throws `notFound` for a number that is no layer's and for a layer that is not unpacked.
    package func directory(_ number: Int) throws(ShaleError) -> RootDirectory {
        if let known = directories[number] { return known }
        let layer = try layer(number)
        if layer.container != nil, let own { return own.root }
        guard let diffID = layer.diffID else { throw ShaleError(.notFound, "\(subject)#\(number): not unpacked") }
        let directory = try images.layerDirectory(diffID, on: layer.parentChain)
        directories[number] = directory
        return directory
    }

    /// The layers up to a number merged, the whole stack without one.
    func viewTree(upTo highest: Int? = nil) -> LayerViewTree {
        let highest = highest ?? count
        return LayerViewTree(count: highest) { depth throws(ShaleError) in
            // A container's files are read from its upper directory: its changes need not be found first.
            if let own = self.own, highest == self.count, depth == 0 {
                return ContainerLayerView(own.root, form: self.form)
            }
            return IndexedLayerView(try self.index(highest - depth))
        }
    }
}

/// Finds what a place's subject is.
package struct PlaceFinder {
    private let images: ImageEngine
    private let container: (String) throws(ShaleError) -> MeantContainer?
    private let image: (String) throws(ShaleError) -> Image
    private let own: (ContainerRecord) throws(ShaleError) -> ContainerLayer
    private let written: (Image) -> [Int: String]
    private let note: (String) -> Void

    /// Takes the functions that find what a word means.
    ///
    /// - Parameters:
    ///   - images: The images of the home.
    ///   - container: Answers the container that a word means; `nil` when it means none.
    ///   - image: Answers the image for a name, an id, `@` or `@~N`, and throws its own error for a missing one.
    ///   - own: Answers what a container wrote.
    ///   - written: Answers the instructions of an image that was made here.
    ///   - note: Called with a sentence about what was repaired on the way.
    package init(
        images: ImageEngine, container: @escaping (String) throws(ShaleError) -> MeantContainer?,
        image: @escaping (String) throws(ShaleError) -> Image,
        own: @escaping (ContainerRecord) throws(ShaleError) -> ContainerLayer,
        written: @escaping (Image) -> [Int: String] = { _ in [:] }, note: @escaping (String) -> Void = { _ in }
    ) {
        self.images = images
        self.container = container
        self.image = image
        self.own = own
        self.written = written
        self.note = note
    }

    /// The layers of an image, or of a container with its own on top.
    ///
    /// A word that could mean either means what `Store.container(meantBy:)` says, which is what `container` asks.
    ///
    /// Throws what `container` and `image` throw for a word that means nothing here, and what opening the container's
    /// own layer throws.
    package func layers(_ subject: String) throws(ShaleError) -> ImageLayers {
        guard let meant = try container(subject) else { return layers(try image(subject), subject) }
        if let words = meant.note(subject) { note(words) }
        return try layers(of: meant.record)
    }

    private func layers(of record: ContainerRecord) throws(ShaleError) -> ImageLayers {
        try layers(images.image(manifest: record.manifest), record.imageName, own: own(record))
    }

    private func layers(_ image: Image, _ name: String, own: ContainerLayer? = nil) -> ImageLayers {
        let layers = ImageLayers(image, name: name, images: images, written: written(image), own: own)
        layers.note = note
        return layers
    }

    /// A view of a place's subject: image, layer, or container.
    ///
    /// Throws what ``layers(_:)`` throws, and `notFound` for a number that is no layer's.
    package func view(_ place: Place) throws(ShaleError) -> PlaceView {
        try PlaceView(layers(place.subject), layer: place.layer, label: place.label)
    }
}
