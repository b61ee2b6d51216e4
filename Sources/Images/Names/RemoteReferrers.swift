package import Basics
import Diagnostics
import Logging
package import OCI
package import Registries
import Stores

extension ImageEngine {
    /// The artifacts that refer to an image in a registry; with `platform`, to the manifest of that platform in an
    /// index.
    ///
    /// Throws what resolving the name and asking for the list throw.
    package func referrers(
        of reference: Reference, platform: Platform?, type: String?, _ operation: OperationContext
    ) throws(ShaleError) -> (subject: Descriptor, found: Referrers) {
        let reference = reference.withDefaultTag
        var subject = try resolve(reference, operation.cancellation).descriptor
        if let platform {
            subject = try remoteImage(reference, platform: platform, operation).descriptor
        }
        try operation.cancellation.check()
        var found = try registry.referrers(
            of: subject.digest, in: reference, type: type, cancellation: operation.cancellation)
        found.descriptors += try taggedBeside(subject.digest, in: reference, operation).filter {
            type == nil || $0.artifactType == type
        }
        return (subject, found)
    }

    /// The artifacts of cosign before version 3.
    ///
    /// They have no `subject`, but a tag made from the digest of the image's manifest (cosign,
    /// specs/SIGNATURE_SPEC.md).
    ///
    /// Artifacts that cannot be read are left out. Throws `cancelled`.
    private func taggedBeside(
        _ subject: Digest, in repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> [Descriptor] {
        var found: [Descriptor] = []
        for kind in ["sig", "att", "sbom"] {
            let tag = "\(subject.referrersTag).\(kind)"
            do throws(ShaleError) {
                let fetched = try registry.resolve(
                    repository.repository.with(tag: tag), cancellation: operation.cancellation)
                var entry = fetched.descriptor
                guard MediaType.isManifest(entry.mediaType) else { continue }
                let manifest = try OCIDocument.read(
                    Manifest.self, from: fetched.document, naming: "manifest \(entry.digest)")
                entry.artifactType = manifest.kindOfArtifact
                entry.annotations = [Annotation.refName: tag]
                found.append(entry)
            } catch {
                if error.code == .cancelled { throw error }
                if error.code != .notFound { Logger.registry.swallowed("look for \(tag)", error) }
            }
        }
        return found
    }

    /// How many pulls a registry still allows.
    ///
    /// A `HEAD` request for a manifest tells it, and does not count as a pull.
    ///
    /// `nil` when the answer has no limit. Throws what the request throws, unless the failed answer has the limit.
    package func rateLimit(
        asking reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> RateLimit? {
        do throws(ShaleError) {
            _ = try registry.head(reference, cancellation: operation.cancellation)
        } catch {
            guard let said = registry.rateLimit(of: reference.domain) else { throw error }
            return said
        }
        return registry.rateLimit(of: reference.domain)
    }

    /// A name in a registry for a request about its limits: a repository that Docker Hub has for this purpose, or the
    /// name of an image in the store.
    ///
    /// `nil` when no image in the store is from that registry. Throws what reading the names throws.
    package func nameForRateLimit(of domain: String) throws(ShaleError) -> Reference? {
        if domain == Reference.defaultDomain { return try Reference(parsing: "ratelimitpreview/test:latest") }
        return try store.names.all().map(\.reference).first { $0.domain == domain }
    }
}
