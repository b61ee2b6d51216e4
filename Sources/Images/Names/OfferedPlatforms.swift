package import Basics
package import OCI
import Registries

/// One entry of what a name leads to in its registry.
package struct OfferedPlatform: Sendable {
    package var descriptor: Descriptor
    package var platform: Platform?
    package var kind: MemberKind
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
                descriptor: entry, platform: entry.platform, kind: entry.memberKind, isChosen: entry == chosen)
        }
    }
}
