package import Basics
import Glibc
package import Images
package import Layers
package import Linux
package import OCI
package import Stores

/// One layer of an image, with facts from config, manifest and store, or a container's changes.
package struct ImageLayer: Sendable, Hashable {
    /// The number, 1 for the lowest.
    package var number: Int
    /// `nil` for a container's changes.
    package var diffID: Digest?
    /// The chain ID of the layers below; `nil` for the lowest.
    package var parentChain: Digest?
    /// The chain ID of this layer and those below; `nil` for a container's changes.
    package var chain: Digest?
    /// The layer's blob, when the manifest has one.
    package var blob: Descriptor?
    /// `created_by` of the history; empty without a history.
    package var createdBy: String
    package var created: Timestamp?
    /// The sizes of its files and of its tar; `nil` when it is not unpacked.
    package var size: LayerSize?

    /// The instruction as it was written, when the image was made here.
    package var written: String?
    /// The name of the container, for a container's changes.
    package var container: String?

    /// The instruction as written, or as read from `created_by`.
    package var instruction: String { written ?? InstructionText.instruction(createdBy) }
    /// The first line of the instruction.
    package var headline: String {
        let lines = instruction.split(separator: "\n", maxSplits: 1)
        return (lines.first.map(String.init) ?? "") + (lines.count > 1 ? " …" : "")
    }
    /// The bytes of its files.
    package var bytes: Int64 { size?.content ?? 0 }
}

/// An image's layers, lowest first, with a container's changes on top.
///
/// The file indexes are read when needed.
///
/// Not thread-safe.
package final class ImageLayers {
    package let image: Image
    /// The image's name as the user typed it, for messages.
    package let name: String
    /// The layers of the image, without a container's changes.
    package let layers: [ImageLayer]
    /// The changes of a container of the image, the top layer of the stack.
    package let own: ContainerLayer?
    package var form: OverlayForm { images.form }
    /// Called with a sentence about each repair.
    package var note: (String) -> Void = { _ in }
    let images: ImageEngine
    private let remote: RemoteLayers?
    private var indexes: [Int: LayerIndex] = [:]
    private var directories: [Int: RootDirectory] = [:]

    /// `written` holds instructions as they were written, by layer number.
    ///
    /// `own` is above the image's layers. `remote` downloads missing data.
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

    /// The image's name for titles, with a short ID.
    package var displayName: String {
        Identifier.isWhole(name) ? image.references.first?.familiar ?? String(name.prefix(12)) : name
    }

    /// The subject of the stack, for titles.
    package var title: String { own.map { "\($0.record.name) (\(displayName))" } ?? displayName }

    /// The subject of the stack, as commands take it: the container's name, or the image's.
    package var subject: String { own?.record.name ?? name }

    /// The settings of the image, or of the container with the image's command.
    package var settings: ContainerConfig {
        let image = image.containerConfig
        guard var config = own?.record.config else { return image }
        (config.cmd, config.entrypoint, config.onBuild) = (image.cmd, image.entrypoint, image.onBuild)
        // A variable without `=` removes the image's variable.
        config.env = config.env.map { $0.filter { $0.contains("=") } }
        return config
    }

    /// Whether the image is in a registry.
    package var isRemote: Bool { remote != nil }
    /// The number of layers, including a container's changes.
    package var count: Int { layers.count + (own == nil ? 0 : 1) }

    /// All layers, with a container's changes on top, which are searched for this.
    ///
    /// Throws what finding a container's changes throws.
    package func stack() throws(ShaleError) -> [ImageLayer] {
        guard let own, var top = ownLayer else { return layers }
        // No tar is written for these changes, so its size is not known.
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

    /// A layer by its number.
    ///
    /// A container's changes have no size here.
    ///
    /// Throws `notFound`, with the valid range, for a number that no layer has.
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

    /// The index of a layer, with all its paths.
    ///
    /// Throws `notFound` for a number that no layer has or a layer that is not unpacked, `corrupt` for a damaged index
    /// that
    /// cannot be made again, and what the registry throws.
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

    /// The index of a layer; `nil` when it would have to be downloaded.
    ///
    /// Throws what ``index(_:)`` throws.
    package func knownIndex(_ number: Int) throws(ShaleError) -> LayerIndex? {
        guard let remote, indexes[number] == nil else { return try index(number) }
        return try remote.knownIndex(number - 1)
    }

    /// Opens a file of a layer.
    ///
    /// `place` is its name in errors.
    func open(_ entry: LayerEntry, of number: Int, place: String) throws(ShaleError) -> OwnedFD {
        if let remote { return try remote.open(entry, in: number - 1) }
        let directory = try directory(number)
        return try translating(place) { try directory.openLiteral(entry.path, O_RDONLY | O_NONBLOCK) }
    }

    /// A layer's unpacked folder, or the container's upper directory.
    ///
    /// Throws `notFound` for a number that no layer has and for a layer that is not unpacked.
    package func directory(_ number: Int) throws(ShaleError) -> RootDirectory {
        if let known = directories[number] { return known }
        let layer = try layer(number)
        if layer.container != nil, let own { return own.root }
        guard let diffID = layer.diffID else { throw ShaleError(.notFound, "\(subject)#\(number): not unpacked") }
        let directory = try images.layerDirectory(diffID, on: layer.parentChain)
        directories[number] = directory
        return directory
    }

    /// The merged layers up to a number, or the whole stack.
    func viewTree(upTo highest: Int? = nil) -> LayerViewTree {
        let highest = highest ?? count
        return LayerViewTree(count: highest) { depth throws(ShaleError) in
            // A container's files are read from its upper directory, so its changes need not be found first.
            if let own = self.own, highest == self.count, depth == 0 {
                return ContainerLayerView(own.root, form: self.form)
            }
            return IndexedLayerView(try self.index(highest - depth))
        }
    }
}

/// Finds the image or container of a place.
package struct PlaceFinder {
    private let images: ImageEngine
    private let container: (String) throws(ShaleError) -> MeantContainer?
    private let image: (String) throws(ShaleError) -> Image
    private let own: (ContainerRecord) throws(ShaleError) -> ContainerLayer
    private let written: (Image) -> [Int: String]
    private let note: (String) -> Void

    /// Takes the functions that resolve a word.
    ///
    /// - Parameters:
    ///   - images: The images of the home.
    ///   - container: Returns the container that a word means; `nil` when it means none.
    ///   - image: Returns the image for a name, an ID, `@` or `@~N`; throws for a missing one.
    ///   - own: Returns the changes of a container.
    ///   - written: Returns the instructions of an image that was made here.
    ///   - note: Called with a sentence about each repair.
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

    /// The layers of an image, or of a container with its changes on top.
    ///
    /// `container` decides when a word could mean an image and a container.
    ///
    /// Throws what `container` and `image` throw for an unknown word, and what opening the container's upper directory
    /// throws.
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

    /// A view of a place's image, layer or container.
    ///
    /// Throws what ``layers(_:)`` throws, and `notFound` for a number that no layer has.
    package func view(_ place: Place) throws(ShaleError) -> PlaceView {
        try PlaceView(layers(place.subject), layer: place.layer, label: place.label)
    }
}
