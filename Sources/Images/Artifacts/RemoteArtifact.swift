package import Basics
import Diagnostics
import FoundationEssentials
package import Linux
package import OCI
import Registries
import Stores

/// An artifact of a registry, by its manifest; none of its blobs is fetched for it.
package struct RemoteArtifact: Sendable {
    package let reference: Reference
    package let descriptor: Descriptor
    package let manifest: Manifest
}

extension ImageEngine {
    /// The artifact of a type that a name leads to.
    ///
    /// Throws `unsupported` for an image and for an artifact of another type, with the command that it is for, and what
    /// resolving the name throws.
    package func artifact(
        _ reference: Reference, type: String, _ operation: OperationContext
    ) throws(ShaleError) -> RemoteArtifact {
        let reference = reference.withDefaultTag
        let fetched = try resolve(reference, operation.cancellation)
        let wanted = ArtifactWords(type: type).name
        let manifest =
            MediaType.isIndex(fetched.mediaType)
            ? nil
            : try OCIDocument.read(
                Manifest.self, from: fetched.document, naming: "manifest \(fetched.descriptor.digest)")
        guard let manifest, let kind = manifest.kindOfArtifact else {
            throw ShaleError(
                .unsupported, "\(reference.familiar) is an image, and not \(wanted)", hint: "pull \(reference.familiar)"
            )
        }
        guard kind == type else {
            let words = ArtifactWords(type: kind)
            throw ShaleError(
                .unsupported, "\(reference.familiar) is \(words.name.visible), and not \(wanted)",
                hint: words.command(for: reference))
        }
        return RemoteArtifact(reference: reference, descriptor: fetched.descriptor, manifest: manifest)
    }

    /// The artifact of a type that hangs on a manifest; the newest where there are several, `nil` for none.
    ///
    /// Throws what asking for the list and for the manifest throws.
    package func artifact(
        on subject: Descriptor, in repository: Reference, type: String, _ operation: OperationContext
    ) throws(ShaleError) -> RemoteArtifact? {
        let listed = try registry.referrers(
            of: subject.digest, in: repository, type: type, cancellation: operation.cancellation)
        let dated = listed.descriptors.map { entry in
            let text = entry.annotations?["org.opencontainers.image.created"] ?? ""
            // As a moment: the same one is written with any offset. What is dated by nothing is older than all.
            return (entry, Timestamp(rfc3339: text) ?? Timestamp(seconds: .min))
        }
        guard let chosen = dated.max(by: { $0.1 < $1.1 })?.0 else { return nil }
        let found = try artifact(repository.with(digest: chosen.digest), type: type, operation)
        // The list under a tag can be written by anyone who may push.
        guard found.manifest.subject?.digest == subject.digest else {
            throw ShaleError(.corrupt, "artifact \(chosen.digest): it does not hang on \(subject.digest)")
        }
        return found
    }

    /// A small blob of an artifact, checked against its descriptor.
    ///
    /// Throws `invalid` for one of more than `limit` bytes, `corrupt` for other bytes, and what fetching it throws.
    package func bytes(
        _ blob: Descriptor, of artifact: RemoteArtifact, limit: Int, _ operation: OperationContext
    ) throws(ShaleError) -> [UInt8] {
        Array(
            try registry.blobData(
                blob, in: artifact.reference, limit: limit, cancellation: operation.cancellation))
    }

    /// Hands out a blob of an artifact, each byte once and in order; their digest is the taker's to check.
    ///
    /// Throws `cancelled`, and what fetching it and `body` throw.
    package func stream(
        _ blob: Descriptor, of artifact: RemoteArtifact, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try registry.blob(blob, in: artifact.reference, cancellation: cancellation, body: body)
    }

    /// Fetches a blob of an artifact into a file that is gone afterwards, and gives it open to `body`.
    ///
    /// Throws `corrupt` for other bytes than its descriptor says, and what fetching it, writing it and `body` throw.
    package func withFile<Result>(
        _ blob: Descriptor, of artifact: RemoteArtifact, _ operation: OperationContext,
        _ body: (consuming OwnedFD) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let file = try store.blobs.newIngest()
        defer { file.abandon(keepingPartial: false) }
        try registry.blob(blob, in: artifact.reference, cancellation: operation.cancellation) {
            (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            try file.append(bytes)
        }
        guard file.digest == blob.digest else {
            throw ShaleError(.corrupt, "blob \(blob.digest): what came has the digest \(file.digest)")
        }
        return try body(try file.openForReading())
    }

    /// Brings blobs of an artifact into the store, those that are not here yet, some at once; returns how many bytes
    /// came.
    ///
    /// They are leased. The part of a blob that arrived before a failure stays for the next attempt. Throws `corrupt`
    /// for other bytes than a descriptor says, `cancelled`, and what fetching and storing throw.
    package func bring(
        _ blobs: [Descriptor], of artifact: RemoteArtifact, called name: String, _ operation: OperationContext
    ) throws(ShaleError) -> Int64 {
        var missing: [Descriptor] = []
        for blob in blobs {
            guard try store.blobs.claim(blob.digest) else {
                missing.append(blob)
                continue
            }
            let size = try store.blobs.size(blob.digest)
            guard size == blob.size else {
                throw ShaleError(
                    .corrupt, "blob \(blob.digest): \(size) bytes instead of the \(blob.size) announced")
            }
        }
        let total = missing.reduce(Int64(0)) { $0.addingClamped($1.size) }
        if missing.isEmpty { return 0 }
        let state = "Downloading"
        let moved = MovedBytes(of: total) { operation.tell(.bytes(id: name, state: state, current: $0, total: total)) }
        let came = Condition<Int64>(0)
        operation.tell(.bytes(id: name, state: state, current: 0, total: total))
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(missing, limit: ImageLimits.transfers, stopping: stopping) { blob throws(ShaleError) in
            let fetch = { () throws(ShaleError) -> Bool in
                try self.fetch(blob, of: artifact, stopping) { bytes in
                    came.update { $0 = $0.addingClamped(bytes) }
                    moved.more(bytes, of: blob)
                }
            }
            if try !fetch() {
                // What an earlier attempt left of it was wrong, and is gone.
                moved.moved(0, of: blob)
                guard try fetch() else {
                    throw ShaleError(.corrupt, "blob \(blob.digest): what came has another digest")
                }
            }
            moved.finish(blob)
        }
        try operation.cancellation.check()
        operation.tell(.item(id: name, state: "Download complete"))
        return came.read { $0 }
    }

    /// Whether the blob is in the store now; not, when what was there of it from before was wrong.
    private func fetch(
        _ blob: Descriptor, of artifact: RemoteArtifact, _ stopping: Cancellation, _ came: (Int64) -> Void
    ) throws(ShaleError) -> Bool {
        let ingest = try store.blobs.ingest(expected: blob)
        let wasResumed = ingest.offset > 0
        do throws(ShaleError) {
            if ingest.count < blob.size {
                try registry.blob(blob, in: artifact.reference, offset: ingest.offset, cancellation: stopping) {
                    (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                    try ingest.append(bytes)
                    came(Int64(bytes.count))
                }
            }
            try ingest.commit()
            return true
        } catch {
            ingest.abandon(keepingPartial: error.code != .corrupt && error.code != .invalid)
            if wasResumed, error.code == .corrupt { return false }
            throw error
        }
    }
}
