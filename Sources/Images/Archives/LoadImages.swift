package import Basics
import FoundationEssentials
import Glibc
package import Layers
import Linux
package import OCI
package import Stores

/// An image that `load` brought, and the names it got.
package struct LoadedImage: Sendable {
    package let image: Image
    package let references: [Reference]

    /// Docker's lines for it.
    package var lines: [String] {
        references.isEmpty
            ? ["Loaded image ID: \(image.id)"] : references.map { "Loaded image: \($0.familiar)" }
    }
}

extension ImageEngine {
    /// Brings the images of an archive in: docker's (old and new) or an OCI layout, as a tar, plain or packed.
    ///
    /// Everything is checked before anything is named: digests, sizes, diff IDs. Throws docker's words for what is no
    /// archive of images.
    package func load(
        _ source: any ByteSource, named subject: String, platform: Platform? = nil, _ operation: OperationContext
    ) throws(ShaleError) -> [LoadedImage] {
        let archive = try TarImageArchive(
            source, subject: subject, store: store, cancellation: operation.cancellation)
        return try load(archive, subject, platform, operation)
    }

    /// The same from a folder that holds an OCI layout or an unpacked archive.
    ///
    /// With `choice` only the images of the layout that it means, and without their names. Throws what reading the folder
    /// or writing to the store throws.
    package func load(
        folder path: String, platform: Platform? = nil, choosing choice: LayoutChoice? = nil,
        _ operation: OperationContext
    ) throws(ShaleError) -> [LoadedImage] {
        let archive = try FolderImageArchive(path: path, store: store, cancellation: operation.cancellation)
        return try load(archive, path, platform, choosing: choice, operation)
    }

    private func load(
        _ archive: any ImageArchive, _ subject: String, _ platform: Platform?,
        choosing choice: LayoutChoice? = nil, _ operation: OperationContext
    ) throws(ShaleError) -> [LoadedImage] {
        var reader = ArchiveReading(
            archive: archive, subject: subject, platform: platform ?? settings.platform,
            isPlatformAsked: platform != nil, cancellation: operation.cancellation, tell: operation.note)
        reader.choice = choice
        let indexes = try reader.indexes()
        let candidates = try reader.images(besides: indexes)
        guard !candidates.isEmpty || !indexes.isEmpty else {
            throw ShaleError(.invalid, "\(subject): the archive holds no image")
        }
        for candidate in candidates + indexes.flatMap(\.images) {
            try operation.cancellation.check()
            try unpack(candidate, operation)
        }
        let owners = try store.names.table().imagesByName
        for candidate in candidates {
            try operation.cancellation.check()
            for blob in candidate.blobs { try blob.commit() }
            let id = try store.blobs.put(candidate.configBytes)
            for reference in candidate.references {
                guard let old = owners[reference.withDefaultTag.description], old != id else { continue }
                operation.line(
                    "The image \(reference.familiar) already exists, renaming the old one with ID \(old) to empty string"
                )
            }
        }
        let images = try store.images.add(
            candidates.map { ($0.manifestBytes, $0.mediaType, $0.references) }, operation.cancellation)
        let whole = try indexes.map { index throws(ShaleError) in
            try operation.cancellation.check()
            return try enter(index)
        }
        store.events.append(
            (images + whole.map(\.image)).map {
                StoreEvent(.image, "load", of: "\($0.id)", ["name": $0.references.first?.familiar ?? ""])
            })
        return whole + zip(images, candidates).map { LoadedImage(image: $0, references: $1.references) }
    }

    /// Unpacks the layers that are not here yet, some at once; those below come first.
    private func unpack(_ candidate: ArchivedImage, _ operation: OperationContext) throws(ShaleError) {
        let stack = LayerStack(store: store, diffIDs: candidate.config.rootfs.diffIDs)
        var waiting: [ArchivedLayer] = []
        for (position, pair) in zip(LayerStore.stack(of: candidate.config), candidate.blobs).enumerated() {
            let (layer, blob) = pair
            if try store.layers.claim(layer.diffID, on: layer.parentChain) {
                stack.finished(position)
            } else {
                waiting.append(
                    ArchivedLayer(
                        position: position, diffID: layer.diffID, parentChain: layer.parentChain, digest: blob.digest,
                        size: blob.size, descriptor: try blob.open().release()))
            }
        }
        let opened = Condition(waiting.map(\.descriptor))
        defer { for descriptor in opened.read({ $0 }) { close(descriptor) } }
        let stopping = Cancellation(below: operation.cancellation)
        let limit = min(ImageLimits.transfers, Workers.processors)
        try stack.fill(waiting, at: \.position, limit: limit, stopping: stopping) { layer throws(ShaleError) in
            opened.update { $0.removeAll { $0 == layer.descriptor } }
            try self.unpack(layer, stack, operation, stopping)
        }
    }

    private func unpack(
        _ layer: ArchivedLayer, _ stack: LayerStack, _ operation: OperationContext, _ stopping: Cancellation
    ) throws(ShaleError) {
        let id = layer.diffID.short
        let file = FDSource(OwnedFD(adopting: layer.descriptor), subject: "layer \(layer.digest)")
        var position: Int64 = 0
        var reported: Int64 = 0
        operation.tell(.bytes(id: id, state: "Loading layer", current: 0, total: layer.size))
        let source = ClosureSource { buffer throws(ShaleError) in
            let count = try file.read(into: buffer)
            position += Int64(count)
            if position - reported >= 1 << 20 || count == 0 {
                reported = position
                operation.tell(.bytes(id: id, state: "Loading layer", current: position, total: layer.size))
            }
            return count
        }
        try unpackLayer(
            source, as: layer.diffID, above: layer.parentChain, blob: layer.digest,
            lower: { () throws(ShaleError) in try stack.lowers(of: layer.position) }, cancellation: stopping)
    }
}

/// A layer of an archive, on its way to be unpacked by another thread.
private struct ArchivedLayer: Sendable {
    let position: Int
    let diffID: Digest
    let parentChain: Digest?
    let digest: Digest
    let size: Int64
    /// Open for reading; whoever unpacks it closes it.
    let descriptor: Int32
}
