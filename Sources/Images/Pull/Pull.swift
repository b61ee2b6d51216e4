package import Basics
import FoundationEssentials
package import OCI
import Registries
package import Stores

/// What a pull brought.
package struct PullResult: Sendable {
    package let reference: Reference
    /// Of what the name points to: the index where there is one.
    package let digest: Digest
    package let image: Image
    /// Whether the name pointed elsewhere, or nowhere, before.
    package let isNew: Bool

    /// Docker's last line but one.
    package var status: String { Self.status(of: reference.familiar, isNew: isNew) }

    static func status(of name: String, isNew: Bool) -> String {
        "Status: \(isNew ? "Downloaded newer image" : "Image is up to date") for \(name)"
    }
}

/// When `run` and `build` ask the registry.
package enum PullPolicy: String, Sendable, CaseIterable {
    case missing
    case always
    case never
}

extension ImageEngine {
    /// Brings an image from its registry: docker's lines and states (`tell`), layers unpacked while they download.
    ///
    /// `cancelled` keeps the layers that are finished and what is there of the others; the next pull goes on. Throws
    /// `invalid` when the reference cannot be a tag's name, `cancelled` when the operation is stopped, and what the
    /// registry client and the store throw.
    package func pull(
        _ reference: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        try pull(resolved: reference.asPullTarget(), platform: platform, operation)
    }

    /// The same of a name that is resolved already (`Reference.asPullTarget`).
    func pull(
        resolved reference: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        let result = try bring(resolved: reference, platform: platform, operation)
        operation.line(result.status)
        return result
    }

    /// The same but for the last line, the status.
    private func bring(
        resolved reference: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        let remote = try remoteImage(resolved: reference, platform: platform, operation)
        operation.line("\(Self.pulledName(reference)): Pulling from \(reference.familiarPath)")
        let before = try store.names.table().entry(named: reference)?.image
        try LayerIntake(engine: self, reference: reference, remote: remote, operation: operation).run()
        try operation.cancellation.check()
        let image = try record(remote)
        // A layer that occurs twice and depends on those below it is unpacked once for each position.
        try unpackMissingLayers(of: image, operation)
        let result = PullResult(
            reference: reference, digest: remote.resolved.digest, image: image,
            isNew: before != image.id)
        store.events.append(
            StoreEvent(.image, "pull", of: reference.familiar, ["name": reference.familiarName]))
        operation.line("Digest: \(result.digest)")
        return result
    }

    /// Every tag of a repository, in the registry's order; one status for all, as docker has it.
    ///
    /// Throws `notFound` when the repository has no tags, and what listing the tags or `pull` throws.
    package func pullAll(
        _ repository: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> [PullResult] {
        let tags = try registry.tags(repository, cancellation: operation.cancellation)
        guard !tags.isEmpty else {
            throw ShaleError(.notFound, "repository \(repository.familiarName) has no tags")
        }
        var results: [PullResult] = []
        var noImage: ShaleError?
        for tag in tags {
            do throws(ShaleError) {
                results.append(
                    try bring(resolved: repository.with(tag: tag).asPullTarget(), platform: platform, operation))
            } catch {
                // A signature or another artifact beside the images.
                guard error.code == .unsupported else { throw error }
                operation.note("\(tag): passed over: \(error)")
                noImage = error
            }
        }
        if results.isEmpty, let noImage { throw noImage }
        operation.line(PullResult.status(of: repository.familiarName, isNew: results.contains(where: \.isNew)))
        return results
    }

    /// Writes the documents and, last of all, the name.
    private func record(_ remote: RemoteImage) throws(ShaleError) -> Image {
        _ = try store.blobs.put(remote.configBytes)
        return try store.images.add(
            manifest: remote.manifestBytes, mediaType: remote.descriptor.mediaType,
            references: remote.reference.digest == nil ? [remote.reference] : [],
            repoDigest: remote.reference.with(digest: remote.resolved.digest))
    }

    private static func pulledName(_ reference: Reference) -> String {
        if reference.digest != nil { return reference.familiar }
        return reference.tag ?? Reference.defaultTag
    }
}

extension Reference {
    /// The path as docker's `Pulling from` says it: without the host, `library/` kept.
    var familiarPath: String { path }
}
