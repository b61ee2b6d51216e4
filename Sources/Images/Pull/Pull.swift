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
        try pull(reference, .one(platform), operation)
    }

    /// The same of several platforms: the name then stands for their index.
    ///
    /// The index comes byte by byte, and last: what was cut short changes no name. Of a name that stands for an index
    /// already, one platform more comes to those that are here. Throws what the other one throws.
    package func pull(
        _ reference: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        try pull(resolved: reference.asPullTarget(), platforms, operation)
    }

    /// The same of a name that is resolved already (`Reference.asPullTarget`).
    func pull(
        resolved reference: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        let result = try bring(resolved: reference, platforms, operation)
        operation.line(result.status)
        return result
    }

    /// The same but for the last line, the status.
    private func bring(
        resolved reference: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        let fetched = try resolve(reference, operation.cancellation)
        try operation.cancellation.check()
        let brought =
            try keepsIndex(fetched, of: reference, platforms)
            ? bringIndex(fetched, as: reference, platforms, operation)
            : bringImage(fetched, as: reference, platforms, operation)
        let result = PullResult(
            reference: reference, digest: fetched.descriptor.digest, image: brought.image, isNew: brought.isNew)
        store.events.append(
            StoreEvent(.image, "pull", of: reference.familiar, ["name": reference.familiarName]))
        operation.line("Digest: \(result.digest)")
        return result
    }

    /// Whether the name is to stand for the index that it leads to, or for one image of it.
    private func keepsIndex(
        _ fetched: FetchedManifest, of reference: Reference, _ platforms: PulledPlatforms
    ) throws(ShaleError) -> Bool {
        guard MediaType.isIndex(fetched.mediaType) else { return false }
        guard case .one = platforms else { return true }
        return try store.names.table().entry(named: reference)?.isIndex ?? false
    }

    private func bringIndex(
        _ fetched: FetchedManifest, as reference: Reference, _ platforms: PulledPlatforms,
        _ operation: OperationContext
    ) throws(ShaleError) -> (image: Image, isNew: Bool) {
        operation.line("\(Self.pulledName(reference)): Pulling from \(reference.familiarPath)")
        return try IndexPull(
            engine: self, reference: reference, fetched: fetched, choice: platforms, operation: operation
        ).run()
    }

    private func bringImage(
        _ fetched: FetchedManifest, as reference: Reference, _ platforms: PulledPlatforms,
        _ operation: OperationContext
    ) throws(ShaleError) -> (image: Image, isNew: Bool) {
        var wanted: Platform?
        switch platforms {
        case .one(let platform): wanted = platform
        case .several(let several):
            // One image is one platform: that it serves each is looked at below, one after the other.
            wanted = several.first
            for platform in several.dropFirst() {
                _ = try remoteImage(of: fetched, reference, platform: platform, operation)
            }
        case .all: break
        }
        let remote = try remoteImage(of: fetched, reference, platform: wanted, operation)
        operation.line("\(Self.pulledName(reference)): Pulling from \(reference.familiarPath)")
        let before = try store.names.table().entry(named: reference)?.image
        try LayerIntake(engine: self, reference: reference, remote: remote, operation: operation).run()
        try operation.cancellation.check()
        let image = try record(remote)
        // A layer that occurs twice and depends on those below it is unpacked once for each position.
        try unpackMissingLayers(of: image, operation)
        return (image, before != image.id)
    }

    /// Every tag of a repository, in the registry's order; one status for all, as docker has it.
    ///
    /// Throws `notFound` when the repository has no tags, and what listing the tags or `pull` throws.
    package func pullAll(
        _ repository: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
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
                    try bring(resolved: repository.with(tag: tag).asPullTarget(), platforms, operation))
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
