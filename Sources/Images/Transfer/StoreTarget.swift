import Basics
import OCI
import Stores

/// The store as the target of a transfer.
struct StoreTarget: TransferTarget {
    let engine: ImageEngine
    let name: Reference
    /// The repository of the registry that the image comes from; `nil` for another source.
    let origin: Reference?
    let operation: OperationContext
    var width: Int { ImageLimits.transfers }
    var repository: Reference? { nil }

    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        if try engine.store.blobs.claim(blob.digest) { return .present }
        if try fetch(blob, from: source, report) { return .sent }
        // The rest of an earlier attempt was wrong, and was removed.
        guard try fetch(blob, from: source, report) else {
            throw ShaleError(.corrupt, "blob \(blob.digest): what came has another digest")
        }
        return .sent
    }

    /// Returns whether the blob is in the store.
    ///
    /// It returns false when the rest of an earlier attempt was wrong.
    private func fetch(
        _ blob: Descriptor, from source: any TransferSource, _ report: TransferReport
    ) throws(ShaleError) -> Bool {
        let ingest = try engine.store.blobs.ingest(expected: blob)
        let wasResumed = ingest.offset > 0
        do throws(ShaleError) {
            let bytes = try source.open(blob, cancellation: report.cancellation)
            // The ingest hashes all bytes, also those of an earlier attempt.
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

    /// Names the image or the index after all its layers are unpacked.
    ///
    /// An image that cannot be unpacked gets no name.
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

    /// The config of an image whose layers can be unpacked on this machine; `nil` for a member of an index that is
    /// stored and not unpacked.
    private func config(of manifest: Manifest, isAsked: Bool) throws(ShaleError) -> ImageConfig? {
        let what = "config \(manifest.config.digest)"
        if !isAsked, manifest.kindOfArtifact != nil { return nil }
        let config = try OCIDocument.read(
            ImageConfig.self, from: try engine.store.blobs.bytes(manifest.config.digest), naming: what)
        if !isAsked, config.os != "linux", !config.os.isEmpty { return nil }
        return config
    }
}
