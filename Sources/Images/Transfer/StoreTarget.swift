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

    /// Names the image or the index, once all layers are unpacked: what cannot be unpacked gets no name.
    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        if MediaType.isIndex(document.descriptor.mediaType) {
            return try putIndex(document, isNamed: isNamed)
        }
        let label = "manifest \(document.descriptor.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: document.bytes, naming: label)
        if isNamed { try ImageEngine.checkManifest(manifest, name) }
        if let config = try config(of: manifest, isAsked: isNamed) {
            try engine.unpackMissingLayers(of: config, blobs: manifest.layers, operation)
        }
        guard isNamed else {
            _ = try engine.store.blobs.put(document.bytes)
            return
        }
        _ = try engine.store.images.add(
            manifest: document.bytes, mediaType: document.descriptor.mediaType, references: [name],
            repoDigest: origin?.with(digest: document.descriptor.digest))
    }

    private func putIndex(_ document: TransferDocument, isNamed: Bool) throws(ShaleError) {
        _ = try engine.store.blobs.put(document.bytes)
        guard isNamed else { return }
        let images = engine.store.images
        let brought = try images.members(of: document.descriptor).filter { $0.manifest != nil }.map(\.descriptor)
        _ = try images.add(
            index: document.bytes, mediaType: document.descriptor.mediaType, brought: brought, references: [name],
            repoDigest: origin?.with(digest: document.descriptor.digest))
    }

    /// The config of an image whose layers can be unpacked here; `nil` for a member of an index that is only kept.
    private func config(of manifest: Manifest, isAsked: Bool) throws(ShaleError) -> ImageConfig? {
        let what = "config \(manifest.config.digest)"
        if !isAsked, manifest.kindOfArtifact != nil { return nil }
        let config = try OCIDocument.read(
            ImageConfig.self, from: try engine.store.blobs.bytes(manifest.config.digest), naming: what)
        if !isAsked, config.os != "linux", !config.os.isEmpty { return nil }
        return config
    }
}
