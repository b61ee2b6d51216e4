import Basics
import FoundationEssentials
import OCI
import Registries

/// A repository in a registry as the source of a copy.
struct RegistrySource: CopySource {
    let engine: ImageEngine
    let reference: Reference

    func root(_ operation: OperationContext) throws(ShaleError) -> TransferDocument {
        let fetched = try engine.resolve(reference, operation.cancellation)
        return TransferDocument(Array(fetched.bytes), mediaType: fetched.mediaType)
    }

    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        if MediaType.isIndex(descriptor.mediaType) || MediaType.isManifest(descriptor.mediaType) {
            return Array(try engine.registry.manifest(descriptor, in: reference, cancellation: cancellation).bytes)
        }
        return Array(try engine.registry.blobData(descriptor, in: reference, cancellation: cancellation))
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        blob
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes {
        RemoteBytes(blob, in: reference, client: engine.registry, cancellation: cancellation)
    }

    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference] {
        reference.domain == repository.domain && reference.path != repository.path ? [reference.repository] : []
    }
}
