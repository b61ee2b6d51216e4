package import Basics
package import OCI
import Registries

/// One entry of what a name leads to in its registry.
package struct OfferedPlatform: Sendable {
    package enum Kind: Sendable, Equatable {
        case image
        /// A BuildKit attestation, and the image that it is about, when that is known.
        case attestation(of: Digest?)
        /// A list in the list.
        case index
        case artifact(type: String)
    }

    package var descriptor: Descriptor
    package var platform: Platform?
    package var kind: Kind
    /// Whether a pull without `--platform` takes it here.
    package var isChosen: Bool
}

extension ImageEngine {
    /// The platforms that a name offers in its registry; one for a name that leads to a single image.
    ///
    /// Of an index no manifest is fetched. Throws what `resolve` throws, and `corrupt` or `unsupported` for what is
    /// neither an image nor an index.
    package func platforms(
        of reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> [OfferedPlatform] {
        let reference = reference.withDefaultTag
        let fetched = try resolve(reference, operation.cancellation)
        guard MediaType.isIndex(fetched.mediaType) else {
            let image = try remoteImage(reference.with(digest: fetched.descriptor.digest), platform: nil, operation)
            let isChosen = PlatformOrder(settings.platform).accepts(image.config.platform)
            return [
                OfferedPlatform(
                    descriptor: image.descriptor, platform: image.config.platform, kind: .image, isChosen: isChosen)
            ]
        }
        let index = try OCIDocument.read(
            Index.self, from: fetched.document, naming: "index \(fetched.descriptor.digest)")
        let chosen = index.manifest(for: settings.platform)
        return index.manifests.map { entry in
            OfferedPlatform(
                descriptor: entry, platform: entry.platform, kind: Self.kind(of: entry), isChosen: entry == chosen)
        }
    }

    private static func kind(of entry: Descriptor) -> OfferedPlatform.Kind {
        let notes = entry.annotations ?? [:]
        if let type = notes["vnd.docker.reference.type"] {
            let subject = notes["vnd.docker.reference.digest"].flatMap { try? Digest(parsing: $0) }
            return type == "attestation-manifest" ? .attestation(of: subject) : .artifact(type: type)
        }
        if MediaType.isIndex(entry.mediaType) { return .index }
        if let type = entry.artifactType { return .artifact(type: type) }
        guard MediaType.isManifest(entry.mediaType) else { return .artifact(type: entry.mediaType) }
        // Older builders left out the annotation, but not the platform `unknown/unknown`.
        return entry.platform?.os == "unknown" ? .attestation(of: nil) : .image
    }
}
