package import Basics
import Diagnostics
package import FoundationEssentials
import Logging
package import OCI
package import Registries
import Stores

/// The manifest and config of an image in a registry.
///
/// No layer is fetched for it.
package struct RemoteImage: Sendable {
    package let reference: Reference
    /// The descriptor that the name points to: an index of platforms, or the manifest itself.
    package let resolved: Descriptor
    /// The manifest of the chosen platform.
    package let descriptor: Descriptor
    package let manifestBytes: Data
    package let manifest: Manifest
    package let configBytes: Data
    package let config: ImageConfig
}

extension ImageEngine {
    /// Fetches the manifest and config of a name.
    ///
    /// From an index it takes the image for `platform`, or for this machine if `nil`.
    ///
    /// With `keeping` the documents are stored in the cache; a pull stores them as blobs instead. Throws `notFound`
    /// with docker's `manifest for X not found` and the nearest tags as a hint, or `no matching manifest for P` with
    /// the platforms that there are; `unsupported` for manifests of schema 1 and for an artifact that is no image; and
    /// `corrupt` for documents that contradict each other.
    package func remoteImage(
        _ reference: Reference, platform: Platform?, keeping: Bool = false, _ operation: OperationContext
    ) throws(ShaleError) -> RemoteImage {
        try remoteImage(resolved: reference.withDefaultTag, platform: platform, keeping: keeping, operation)
    }

    /// Does the same for a name that has a tag or a digest.
    func remoteImage(
        resolved reference: Reference, platform: Platform?, keeping: Bool = false, _ operation: OperationContext
    ) throws(ShaleError) -> RemoteImage {
        let fetched = try resolve(reference, operation.cancellation)
        try operation.cancellation.check()
        return try remoteImage(of: fetched, reference, platform: platform, keeping: keeping, operation)
    }

    /// Does the same for a name that was resolved already.
    func remoteImage(
        of fetched: FetchedManifest, _ reference: Reference, platform: Platform?, keeping: Bool = false,
        _ operation: OperationContext
    ) throws(ShaleError) -> RemoteImage {
        let chosen = try manifest(in: fetched, of: reference, for: platform ?? settings.platform, keeping, operation)
        let manifest = try OCIDocument.read(
            Manifest.self, from: chosen.document, naming: "manifest \(chosen.descriptor.digest)")
        try Self.checkManifest(manifest, reference)
        let configBytes = try document(manifest.config, in: reference, keeping: keeping, operation)
        let config = try OCIDocument.read(
            ImageConfig.self, from: configBytes, naming: "config \(manifest.config.digest)")
        guard config.rootfs.diffIDs.count == manifest.layers.count else {
            throw ShaleError(
                .corrupt, "layers from manifest don't match image configuration",
                cause: "\(manifest.layers.count) layers, \(config.rootfs.diffIDs.count) diff IDs")
        }
        try Self.checkPlatform(of: config, wanted: platform, reference)
        return RemoteImage(
            reference: reference, resolved: fetched.descriptor, descriptor: chosen.descriptor,
            manifestBytes: chosen.bytes, manifest: manifest, configBytes: configBytes, config: config)
    }

    /// Fetches the manifest or index that a name points to in its registry.
    ///
    /// Throws what the registry client throws. A `notFound` may have a hint with similar tags.
    package func resolve(
        _ reference: Reference, _ cancellation: Cancellation
    ) throws(ShaleError) -> FetchedManifest {
        do throws(ShaleError) {
            return try registry.resolve(reference, cancellation: cancellation)
        } catch {
            guard error.code == .notFound, reference.digest == nil,
                let found = try? registry.suggestions(for: reference, cancellation: cancellation),
                let hint = Self.hint(for: reference, among: found)
            else { throw error }
            var better = error
            better.hint = hint
            throw better
        }
    }

    /// The hint with a command that works, and the other platforms.
    private static func hint(for reference: Reference, among found: TagSuggestions) -> String? {
        let tags = found.best()
        guard let first = tags.first else { return nil }
        let command = "pull \(reference.with(tag: first).familiar)"
        if found.total == 1 { return "\(command) (its only tag)" }
        return "\(command) (tags there: \(tags.joined(separator: ", "))\(found.total > tags.count ? ", …" : ""))"
    }

    private func manifest(
        in fetched: FetchedManifest, of reference: Reference, for platform: Platform, _ keeping: Bool,
        _ operation: OperationContext
    ) throws(ShaleError) -> FetchedManifest {
        var current = fetched
        // An index may list other indexes. In practice they are one level deep.
        for _ in 0..<4 {
            let type = current.mediaType
            guard MediaType.isIndex(type) else {
                guard MediaType.isManifest(type) else {
                    throw ShaleError(.unsupported, "\(reference.familiar): unsupported manifest media type \(type)")
                }
                return current
            }
            let index = try OCIDocument.read(
                Index.self, from: current.document, naming: "index \(current.descriptor.digest)")
            guard let entry = index.manifest(for: platform) else {
                throw Self.noMatch(platform, in: index)
            }
            try operation.cancellation.check()
            current = try platformManifest(entry, in: reference, keeping, operation)
        }
        throw ShaleError(.invalid, "\(reference.familiar): indexes within indexes")
    }

    static func noMatch(_ platform: Platform, in index: Index) -> ShaleError {
        let offered = index.manifests.filter { $0.memberKind == .image }.compactMap(\.platform).map(\.description)
        var unique: [String] = []
        for name in offered where !unique.contains(name) { unique.append(name) }
        return ShaleError(
            .notFound, "no matching manifest for \(platform) in the manifest list entries",
            hint: unique.isEmpty ? nil : "it is there for \(unique.joined(separator: ", "))")
    }

    static func checkManifest(_ manifest: Manifest, _ reference: Reference) throws(ShaleError) {
        if let type = manifest.kindOfArtifact {
            let words = ArtifactWords(type: type)
            throw ShaleError(
                .unsupported,
                "\(reference.familiar): encountered remote \"\(manifest.config.mediaType.visible)\" when fetching",
                cause: "this is \(words.name.visible), and no image", hint: words.command(for: reference))
        }
        guard manifest.layers.count <= ImageLimits.layers else {
            throw ShaleError(
                .invalid, "\(reference.familiar): \(manifest.layers.count) layers, more than \(ImageLimits.layers)")
        }
    }

    private static func checkPlatform(
        of config: ImageConfig, wanted: Platform?, _ reference: Reference
    ) throws(ShaleError) {
        if let wanted, !PlatformOrder(wanted).accepts(config.platform) {
            throw ShaleError(
                .notFound,
                "image with reference \(reference.familiar) was found but its platform (\(config.platform)) "
                    + "does not match the specified platform (\(wanted))")
        }
        guard config.os == "linux" || config.os.isEmpty else {
            throw ShaleError(
                .unsupported, "image operating system \"\(config.os)\" cannot be used on this platform")
        }
    }

    /// The verified bytes of a small blob.
    ///
    /// It is fetched into the store when it is not there.
    func document(
        _ descriptor: Descriptor, in reference: Reference, keeping: Bool = false, _ operation: OperationContext
    ) throws(ShaleError) -> Data {
        if store.blobs.contains(descriptor.digest) {
            let data = try store.blobs.data(descriptor.digest, limit: OCIDocument.largest)
            guard data.count == descriptor.size else {
                throw ShaleError(
                    .corrupt,
                    "blob \(descriptor.digest): \(data.count) bytes instead of the \(descriptor.size) announced")
            }
            return data
        }
        return try kept(descriptor, keeping) { () throws(ShaleError) in
            try registry.blobData(descriptor, in: reference, cancellation: operation.cancellation)
        }
    }

    private func platformManifest(
        _ entry: Descriptor, in reference: Reference, _ keeping: Bool, _ operation: OperationContext
    ) throws(ShaleError) -> FetchedManifest {
        var mediaType = entry.mediaType
        var document: JSONDocument?
        let bytes = try kept(entry, keeping) { () throws(ShaleError) in
            let fetched = try registry.manifest(entry, in: reference, cancellation: operation.cancellation)
            mediaType = fetched.mediaType
            document = fetched.document
            return fetched.bytes
        }
        if document == nil { document = try OCIDocument.document(bytes, naming: "manifest \(entry.digest)") }
        return FetchedManifest(
            descriptor: entry, bytes: bytes, document: document ?? .null, mediaType: mediaType)
    }

    /// A document from the cache, or else from the registry into the cache.
    private func kept(
        _ descriptor: Descriptor, _ keeping: Bool, _ fetch: () throws(ShaleError) -> Data
    ) throws(ShaleError) -> Data {
        guard keeping else { return try fetch() }
        if let bytes = store.cache.value(.remote, descriptor.digest), Digest.of(bytes) == descriptor.digest {
            return Data(bytes)
        }
        let data = try fetch()
        // In a home that cannot be written to, the document is fetched each time.
        if Digest.of(data) == descriptor.digest {
            Logger.cache.attempt("keep \(descriptor.digest)") {
                try store.cache.set(.remote, descriptor.digest, to: Array(data))
            }
        }
        return data
    }
}

/// Limits for images from outside.
enum ImageLimits {
    /// The largest number of layers.
    ///
    /// Docker's limit is 125, that of overlayfs 500.
    static let layers = 500
    /// How many layers are transferred or unpacked at the same time (docker's `max-concurrent-downloads`).
    static let transfers = 3
}
