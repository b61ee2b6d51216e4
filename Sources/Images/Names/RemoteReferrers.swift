package import Basics
package import OCI
package import Registries
import Stores

extension ImageEngine {
    /// The artifacts that refer to an image of a registry; with `platform`, to that platform's manifest of an index.
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
        let found = try registry.referrers(
            of: subject.digest, in: reference, type: type, cancellation: operation.cancellation)
        return (subject, found)
    }

    /// How many pulls a registry still allows, read from the header of a manifest, which does not count as a pull.
    ///
    /// `nil` where it says nothing. Throws what the request throws, unless the answer says it all the same.
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

    /// A name to ask a registry about its limits by: one that an image here has; Docker Hub keeps one for this.
    ///
    /// `nil` where no image here is of that registry. Throws what reading the names throws.
    package func nameForRateLimit(of domain: String) throws(ShaleError) -> Reference? {
        if domain == Reference.defaultDomain { return try Reference(parsing: "ratelimitpreview/test:latest") }
        return try store.names.all().map(\.reference).first { $0.domain == domain }
    }
}
