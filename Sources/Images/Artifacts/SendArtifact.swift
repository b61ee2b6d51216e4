package import Basics
import Diagnostics
import FoundationEssentials
import Layers
package import Linux
import Logging
package import OCI
import Registries
import Stores

extension ImageEngine {
    /// Sends blobs of the store to a repository, those that it has not got, some at once; returns how many bytes went.
    ///
    /// `known` are blobs that the repository is known to have: it is not asked for them. Throws `cancelled`, and what
    /// the requests and reading the blobs throw.
    package func send(
        _ blobs: [Descriptor], besides known: Set<Digest>, to repository: Reference, called name: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> Int64 {
        let missing = blobs.filter { !known.contains($0.digest) }
        if missing.isEmpty { return 0 }
        let source = try StoreSource(store: store, packing: nil, blobs: missing)
        let target = RegistryTarget(client: registry, reference: repository)
        let total = missing.reduce(Int64(0)) { $0.addingClamped($1.size) }
        let moved = MovedBytes(of: total) {
            operation.tell(.bytes(id: name, state: "Pushing", current: $0, total: total))
        }
        let sent = Condition<Int64>(0)
        operation.tell(.bytes(id: name, state: "Pushing", current: 0, total: total))
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(missing, limit: target.width, stopping: stopping) { blob throws(ShaleError) in
            let mountSources = source.mountSources(of: blob, beside: repository)
            let report = TransferReport(cancellation: stopping, moved: { moved.moved($0, of: blob) })
            if try target.take(blob, from: source, mountSources: mountSources, report: report) == .sent {
                sent.update { $0 = $0.addingClamped(blob.size) }
            }
            moved.finish(blob)
        }
        try operation.cancellation.check()
        operation.tell(.item(id: name, state: "Pushed"))
        return sent.read { $0 }
    }

    /// Sends the bytes of a file as a blob that the repository has not got; returns how many bytes went.
    ///
    /// Throws what the requests and reading the file throw.
    package func send(
        _ file: consuming OwnedFD, as blob: Descriptor, to repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Int64 {
        let cancellation = operation.cancellation
        if try registry.hasBlob(blob, in: repository, cancellation: cancellation) { return 0 }
        let bytes = OwnedFile(file, subject: "blob \(blob.digest)")
        try registry.uploadBlob(
            blob, to: repository, chunkSize: RegistryTarget.chunk, cancellation: cancellation
        ) { offset, buffer throws(ShaleError) in
            try bytes.read(at: offset, into: buffer)
        }
        return blob.size
    }

    /// Sends a small blob that the repository has not got.
    ///
    /// Throws what the requests throw.
    package func send(
        _ bytes: [UInt8], as blob: Descriptor, to repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) {
        try registry.sendBytes(bytes, blob, to: repository, cancellation: operation.cancellation)
    }

    /// Sends the manifest of an artifact whose blobs are there, under a name's tag, or by its digest where it has none.
    ///
    /// Throws what the requests throw.
    package func send(
        _ artifact: Artifact, as reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Descriptor {
        let cancellation = operation.cancellation
        try registry.sendBytes(
            Artifact.emptyConfigBytes, Artifact.emptyConfig, to: reference, cancellation: cancellation)
        return try registry.putArtifact(artifact, as: reference, cancellation: cancellation)
    }

    /// Puts manifests of images whose blobs are there beside an artifact, by their digests, so that they can be pulled.
    ///
    /// One that the registry does not take is left out, with a message: the artifact is whole without. Throws
    /// `cancelled`.
    package func send(
        manifests: [Descriptor], to repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) {
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(manifests, limit: ImageLimits.transfers, stopping: stopping) {
            manifest throws(ShaleError) in
            let name = repository.with(digest: manifest.digest)
            if (try? self.registry.head(name, passingMirrors: true, cancellation: stopping))?.digest == manifest.digest
            {
                return
            }
            try stopping.check()
            let bytes = Data(try self.store.blobs.bytes(manifest.digest))
            Logger.registry.attempt("put the manifest \(manifest.digest) beside an artifact") {
                try self.registry.putManifest(bytes, mediaType: manifest.mediaType, as: name, cancellation: stopping)
            }
        }
        try operation.cancellation.check()
    }

    /// The blobs that an artifact under this name has: none where there is no artifact of that type.
    package func blobs(of reference: Reference, type: String, _ operation: OperationContext) -> Set<Digest> {
        guard let fetched = try? registry.resolve(reference, cancellation: operation.cancellation),
            let manifest = try? OCIDocument.read(Manifest.self, from: fetched.document, naming: "manifest"),
            !fetched.isFromMirror, manifest.artifactType == type
        else { return [] }
        return Set(manifest.layers.map(\.digest))
    }
}
