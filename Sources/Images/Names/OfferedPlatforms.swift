package import Basics
package import OCI
import Registries

/// One platform of a name in a registry.
package struct OfferedPlatform: Sendable {
    package var descriptor: Descriptor
    package var platform: Platform?
    package var kind: MemberKind
    /// Whether a pull without `--platform` takes it on this machine.
    package var isChosen: Bool
}

extension ImageEngine {
    /// The platforms of a name in its registry.
    ///
    /// A name of a single image has one.
    ///
    /// The manifests that an index lists are not fetched. Throws what `resolve` throws, and `corrupt` or `unsupported`
    /// when the name stands for neither an image nor an index.
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
