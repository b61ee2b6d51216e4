import Basics
import Images
import OCI

extension BuildEngine {
    /// Opens a shared cache and reads its steps.
    ///
    /// Every document is checked against its digest.
    ///
    /// Throws `notFound` when there is no cache, `unsupported`, `corrupt` or `invalid` when it is not a cache of shale,
    /// and
    /// what reading the folder or asking the registry throws.
    func openCache(
        at place: CachePlace, _ operation: OperationContext
    ) throws(ShaleError) -> (any CacheSource, SharedSteps) {
        switch place.location {
        case .folder(let path, let tag):
            let artifact = try FolderArtifact(folder: path, tag: tag, type: SharedSteps.artifactType)
            let steps = try Self.steps(artifact.manifest) { blob throws(ShaleError) in
                try artifact.bytes(blob, limit: SharedSteps.largest)
            }
            return (CacheFolder(name: path.visible, artifact: artifact), steps)
        case .registry(let reference):
            let artifact = try images.artifact(reference, type: SharedSteps.artifactType, operation)
            let steps = try Self.steps(artifact.manifest) { blob throws(ShaleError) in
                try images.bytes(blob, of: artifact, limit: SharedSteps.largest, operation)
            }
            return (CacheRepository(artifact: artifact, images: images), steps)
        }
    }

    private static func steps(
        _ manifest: Manifest, _ bytes: (Descriptor) throws(ShaleError) -> [UInt8]
    ) throws(ShaleError) -> SharedSteps {
        guard manifest.config.mediaType == SharedSteps.mediaType else {
            throw ShaleError(.invalid, "it is no cache of shale's")
        }
        return try SharedSteps(parsing: bytes(manifest.config))
    }
}

/// A shared cache in a registry.
private struct CacheRepository: CacheSource {
    let artifact: RemoteArtifact
    let images: ImageEngine

    var name: String { artifact.reference.familiar }

    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try images.stream(descriptor, of: artifact, cancellation, body)
    }
}

/// A shared cache in a folder of the host.
private struct CacheFolder: CacheSource {
    let name: String
    let artifact: FolderArtifact

    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try artifact.stream(descriptor, cancellation, body)
    }
}
