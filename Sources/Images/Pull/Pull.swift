package import Basics
import FoundationEssentials
package import OCI
import Registries
package import Stores

/// The result of a pull.
package struct PullResult: Sendable {
    package let reference: Reference
    /// The digest of the index that the name points to, or else of the manifest.
    package let digest: Digest
    package let image: Image
    /// Whether the name pointed to another manifest, or did not exist, before.
    package let isNew: Bool

    /// The last line but one, in docker's wording.
    package var status: String { Self.status(of: reference.familiar, isNew: isNew) }

    static func status(of name: String, isNew: Bool) -> String {
        "Status: \(isNew ? "Downloaded newer image" : "Image is up to date") for \(name)"
    }
}

/// When `run` and `build` ask the registry for an image.
package enum PullPolicy: String, Sendable, CaseIterable {
    case missing
    case always
    case never
}

extension ImageEngine {
    /// Pulls an image from its registry, and reports progress in docker's lines and states.
    ///
    /// Layers are unpacked while they are downloaded.
    ///
    /// When it is stopped, finished layers and parts of others stay, and the next pull continues with them. Throws
    /// `invalid` when the reference cannot be a tag's name, `cancelled` when the operation is stopped, and what the
    /// registry client and the store throw.
    package func pull(
        _ reference: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        try pull(reference, .one(platform), operation)
    }

    /// Pulls several platforms of a name, which then stands for their index.
    ///
    /// The index is stored unchanged, after its members, so a pull that was interrupted changes no name. When the name
    /// stands for an index already, the platforms are added to those in the store. Throws the same errors as a pull of
    /// one platform.
    package func pull(
        _ reference: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        try pull(resolved: reference.asPullTarget(), platforms, operation)
    }

    /// Pulls a name that is in the form of `Reference.asPullTarget`.
    func pull(
        resolved reference: Reference, _ platforms: PulledPlatforms, _ operation: OperationContext
    ) throws(ShaleError) -> PullResult {
        let result = try bring(resolved: reference, platforms, operation)
        operation.line(result.status)
        return result
    }

    /// Pulls a name, and does not print the last line, which is the status.
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

    /// Whether the name will stand for the index in the registry, or for one image of it.
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
            // A single image has one platform. Whether it fits each wanted platform is checked below.
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
        // A layer that occurs twice and has hard links to files of lower layers is unpacked once for each position.
        try unpackMissingLayers(of: image, operation)
        return (image, before != image.id)
    }

    /// Pulls all tags of a repository, in the registry's order.
    ///
    /// As with docker, there is one status for all.
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
                // The tag of a signature or of another artifact.
                guard error.code == .unsupported else { throw error }
                operation.note("\(tag): passed over: \(error)")
                noImage = error
            }
        }
        if results.isEmpty, let noImage { throw noImage }
        operation.line(PullResult.status(of: repository.familiarName, isNew: results.contains(where: \.isNew)))
        return results
    }

    /// Writes the documents, and the name after them.
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
    /// The path as docker prints it after `Pulling from`: without the host, with `library/`.
    var familiarPath: String { path }
}
