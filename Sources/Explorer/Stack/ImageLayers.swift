package import Basics
package import Engine
import Glibc
package import Layers
package import Linux
package import OCI
package import Stores

/// One layer of an image, as its config, manifest and the store tell it.
package struct ImageLayer: Sendable, Hashable {
    /// 1 is the lowest.
    package var number: Int
    package var diffID: Digest
    /// The chain ID of the layers below; `nil` for the lowest.
    package var parentChain: Digest?
    /// The chain ID of this layer and those below.
    package var chain: Digest
    /// Its blob, where the manifest has one.
    package var blob: Descriptor?
    /// `created_by` as the config has it; empty without a history.
    package var createdBy: String
    package var created: Timestamp?
    /// Bytes of its files, and of its tar; `nil` while it is not unpacked.
    package var size: LayerSize?

    /// The instruction as it was written, where the image was made here.
    package var written: String?

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

/// An image's layers, lowest first, with their file indexes read on demand.
///
/// For one thread.
package final class ImageLayers {
    package let image: Image
    /// The image as it was called, for messages.
    package let name: String
    package let layers: [ImageLayer]
    package let form: OverlayForm
    /// Told in a sentence what was mended on the way.
    package var note: (String) -> Void = { _ in }
    private let store: Store
    private let remote: RemoteLayers?
    private var indexes: [Int: LayerIndex] = [:]

    /// `written` holds instructions as they were written, by layer number; `remote` fetches what is not here.
    package init(
        _ image: Image, name: String, store: Store, written: [Int: String] = [:], remote: RemoteLayers? = nil
    ) {
        self.image = image
        self.name = name
        self.store = store
        self.remote = remote
        form = store.form
        let steps = (image.config.history ?? []).filter { $0.emptyLayer != true }
        let blobs = image.manifest.layers
        layers = LayerStore.stack(of: image.config).enumerated().map { position, layer in
            let step = position < steps.count ? steps[position] : nil
            return ImageLayer(
                number: position + 1, diffID: layer.diffID, parentChain: layer.parentChain,
                chain: Digest.chainID([layer.parentChain, layer.diffID].compactMap(\.self)) ?? layer.diffID,
                blob: position < blobs.count ? blobs[position] : nil, createdBy: step?.createdBy ?? "",
                created: step?.created, size: store.layers.size(layer.diffID, on: layer.parentChain),
                written: written[position + 1])
        }
    }

    /// The name for titles: an id is short there.
    package var displayName: String {
        name.utf8.count == 64 && name.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
            ? image.references.first?.familiar ?? String(name.prefix(12)) : name
    }

    /// Whether the image lies in a registry.
    package var isRemote: Bool { remote != nil }
    package var count: Int { layers.count }

    /// A layer by its number; `notFound` tells the range.
    package func layer(_ number: Int) throws(ShaleError) -> ImageLayer {
        if number >= 1, number <= layers.count { return layers[number - 1] }
        let range =
            switch layers.count {
            case 0: "the image has no layers"
            case 1: "the image has one layer, #1"
            default: "the image has layers 1 to \(layers.count)"
            }
        throw ShaleError(
            .notFound, "\(name.visible)#\(number): no such layer: \(range)",
            hint: "layers \(isRemote ? "--remote " : "")\(name)")
    }

    /// All paths of a layer.
    package func index(_ number: Int) throws(ShaleError) -> LayerIndex {
        if let known = indexes[number] { return known }
        let layer = try layer(number)
        let index: LayerIndex
        if let remote {
            index = try remote.index(number - 1)
        } else {
            index = try LayerIndexes.index(
                number - 1, of: image.config.rootfs.diffIDs, blob: layer.blob, in: store, note: note)
        }
        indexes[number] = index
        return index
    }

    /// All paths of a layer, if nothing need be fetched for them.
    package func knownIndex(_ number: Int) throws(ShaleError) -> LayerIndex? {
        guard let remote, indexes[number] == nil else { return try index(number) }
        return try remote.knownIndex(number - 1)
    }

    /// A file's bytes; `entry` as the layer's index has it, `place` as errors call it.
    func open(_ entry: LayerEntry, of number: Int, place: String) throws(ShaleError) -> OwnedFD {
        if let remote { return try remote.open(entry, in: number - 1) }
        let directory = try directory(number)
        return try translating(place) { try directory.openLiteral(entry.path, O_RDONLY | O_NONBLOCK) }
    }

    /// A layer's own unpacked tree.
    package func directory(_ number: Int) throws(ShaleError) -> RootDirectory {
        let layer = try layer(number)
        return try store.layers.directory(layer.diffID, on: layer.parentChain)
    }

    /// The layers up to a number merged, all of them without one; `top` lies above them.
    func levels(upTo highest: Int? = nil, below top: (any Level)? = nil) -> LevelTree {
        let highest = highest ?? count
        return LevelTree(count: highest + (top == nil ? 0 : 1)) { level throws(ShaleError) in
            guard let top else { return IndexLevel(try self.index(highest - level)) }
            return level == 0 ? top : IndexLevel(try self.index(highest + 1 - level))
        }
    }

    /// The directory a container writes to.
    func upper(of record: ContainerRecord) throws(ShaleError) -> RootDirectory {
        let path = store.containers.folder(record.id).upper
        return try translating("container \(record.name)") { try RootDirectory(hostPath: path) }
    }
}

/// Finds what a place's subject is.
package struct PlaceFinder {
    private let store: Store
    private let image: (String) throws(ShaleError) -> Image
    private let written: (Image) -> [Int: String]
    private let note: (String) -> Void

    /// `image` answers for names, ids, `@` and `@~N`, with its own words for what is not there; `written` for the
    /// instructions of an image that was made here; `note` is told what was mended on the way.
    package init(
        store: Store, image: @escaping (String) throws(ShaleError) -> Image,
        written: @escaping (Image) -> [Int: String] = { _ in [:] }, note: @escaping (String) -> Void = { _ in }
    ) {
        self.store = store
        self.image = image
        self.written = written
        self.note = note
    }

    /// An image's layers.
    package func layers(_ subject: String) throws(ShaleError) -> ImageLayers { layers(try image(subject), subject) }

    private func layers(_ image: Image, _ name: String) -> ImageLayers {
        let layers = ImageLayers(image, name: name, store: store, written: written(image))
        layers.note = note
        return layers
    }

    /// A view of a place's subject: image, layer, or container.
    ///
    /// A name that is both an image's and a container's is the image; a container's whole name wins over an image's id
    /// prefix.
    package func view(_ place: Place) throws(ShaleError) -> PlaceView {
        if let record = container(named: place.subject) {
            guard let number = place.layer else { return try view(record, label: place.label) }
            return try PlaceView(.layer(try layers(below: record), number), label: place.label)
        }
        do throws(ShaleError) {
            let layers = try layers(place.subject)
            guard let number = place.layer else { return try PlaceView(.image(layers), label: place.label) }
            _ = try layers.layer(number)
            return try PlaceView(.layer(layers, number), label: place.label)
        } catch {
            guard error.code == .notFound, let record = try? store.containers.find(place.subject), place.layer == nil
            else { throw error }
            return try view(record, label: place.label)
        }
    }

    private func view(_ record: ContainerRecord, label: String) throws(ShaleError) -> PlaceView {
        try PlaceView(.container(record, try layers(below: record)), label: label)
    }

    private func layers(below record: ContainerRecord) throws(ShaleError) -> ImageLayers {
        layers(try store.images.image(manifest: record.manifest), record.imageName)
    }

    /// A container called exactly so, unless an image has the name.
    private func container(named text: String) -> ContainerRecord? {
        guard !text.hasPrefix("@"), let record = try? store.containers.find(text), record.name == text,
            let names = try? store.names.all().map(\.reference.familiar)
        else { return nil }
        return names.contains(text) || names.contains(text + ":latest") ? nil : record
    }
}
