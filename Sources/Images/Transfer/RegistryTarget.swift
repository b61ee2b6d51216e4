import Basics
import Diagnostics
import FoundationEssentials
import Logging
import OCI
import Registries

/// A repository in a registry as the target of a transfer.
struct RegistryTarget: TransferTarget {
    let client: RegistryClient
    /// The repository, with the tag or digest that the image gets there.
    let reference: Reference

    var width: Int { ImageLimits.transfers }
    var repository: Reference? { reference.repository }

    /// Larger blobs are uploaded in pieces of this size, in bytes.
    ///
    /// After a failure only the last piece is sent again.
    static let chunk: Int64 = 32 << 20

    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        if try client.hasBlob(blob, in: reference, cancellation: report.cancellation) { return .present }
        var session: UploadSession?
        if let other = mountSources.first {
            switch try mount(blob, from: other, report) {
            case .mounted: return .mounted(other)
            case .upload(let begun): session = begun
            case nil: break
            }
        }
        let bytes = try source.open(blob, cancellation: report.cancellation)
        try client.uploadBlob(
            blob, to: reference, session: session, chunkSize: Self.chunk, cancellation: report.cancellation,
            retrying: report.retrying, sent: report.moved
        ) { offset, buffer throws(ShaleError) in
            try bytes.read(at: offset, into: buffer)
        }
        return .sent
    }

    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        let name = isNamed ? reference : reference.with(digest: document.descriptor.digest)
        try client.putManifest(
            Data(document.bytes), mediaType: document.descriptor.mediaType, as: name,
            cancellation: report.cancellation)
    }

    /// Asks the registry to mount a blob; `nil` when it refuses to look into the other repository.
    ///
    /// Then the blob is sent.
    private func mount(
        _ blob: Descriptor, from home: Reference, _ report: TransferReport
    ) throws(ShaleError) -> MountOutcome? {
        do throws(ShaleError) {
            return try client.mountBlob(blob.digest, from: home, to: reference, cancellation: report.cancellation)
        } catch {
            if error.code == .cancelled { throw error }
            Logger.registry.swallowed("mount \(blob.digest) from \(home.path)", error)
            return nil
        }
    }
}
