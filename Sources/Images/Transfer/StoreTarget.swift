import Basics
import OCI
import Stores

/// The store as what an image is moved to.
struct StoreTarget: TransferTarget {
    let engine: ImageEngine
    let name: Reference
    /// The repository of a registry that it comes from, if it does.
    let origin: Reference?
    let operation: OperationContext
    var width: Int { ImageLimits.transfers }
    var repository: Reference? { nil }

    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        if try engine.store.blobs.claim(blob.digest) { return .present }
        if try fetch(blob, from: source, report) { return .sent }
        // What an earlier attempt left of it was wrong, and is gone.
        guard try fetch(blob, from: source, report) else {
            throw ShaleError(.corrupt, "blob \(blob.digest): what came has another digest")
        }
        return .sent
    }

    /// Whether the blob is in the store now; not, when what was there of it from before was wrong.
    private func fetch(
        _ blob: Descriptor, from source: any TransferSource, _ report: TransferReport
    ) throws(ShaleError) -> Bool {
        let ingest = try engine.store.blobs.ingest(expected: blob)
        let wasResumed = ingest.offset > 0
        do throws(ShaleError) {
            let bytes = try source.open(blob, cancellation: report.cancellation)
            // The ingest hashes all bytes, those of an earlier attempt too.
            try BlobCopy.run(blob, from: bytes, begin: ingest.offset, report: report) { piece throws(ShaleError) in
                try ingest.append(piece)
            }
            try ingest.commit()
            return true
        } catch {
            ingest.abandon(keepingPartial: error.code != .corrupt && error.code != .invalid)
            if wasResumed, error.code == .corrupt { return false }
            throw error
        }
    }

    /// Names the image, once its layers are unpacked: what cannot be unpacked gets no name.
    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        let label = "manifest \(document.descriptor.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: document.bytes, naming: label)
        try ImageEngine.checkManifest(manifest, name)
        let config = try OCIDocument.read(
            ImageConfig.self, from: try engine.store.blobs.bytes(manifest.config.digest),
            naming: "config \(manifest.config.digest)")
        try engine.unpackMissingLayers(of: config, blobs: manifest.layers, operation)
        _ = try engine.store.images.add(
            manifest: document.bytes, mediaType: document.descriptor.mediaType, references: [name],
            repoDigest: origin?.with(digest: document.descriptor.digest))
    }
}
