package import Basics
import Linux
package import OCI
import Registries

/// What is removed together with the manifest of a name in a registry.
package struct RemoteRemoval: Sendable {
    package let reference: Reference
    package let digest: Digest
    /// All tags of the manifest, sorted; `nil` when finding them would need too many requests.
    package let tags: [String]?
}

extension ImageEngine {
    /// The largest number of tags of a repository that are checked.
    private static let mostTags = 100

    /// The manifest of a name in a registry, and the other tags of this manifest.
    ///
    /// Throws what asking the registry throws.
    package func remoteRemoval(
        of reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> RemoteRemoval {
        let reference = reference.withDefaultTag
        let digest = try registry.head(
            reference, passingMirrors: true, cancellation: operation.cancellation
        ).digest
        return RemoteRemoval(
            reference: reference, digest: digest, tags: try tags(of: digest, in: reference.repository, operation))
    }

    private func tags(
        of digest: Digest, in repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> [String]? {
        let all: [String]
        do throws(ShaleError) {
            all = try registry.tags(repository, passingMirrors: true, cancellation: operation.cancellation)
        } catch {
            if error.code == .cancelled { throw error }
            return nil
        }
        guard all.count <= Self.mostTags else { return nil }
        let same = Condition<[String]>([])
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(all, limit: ImageLimits.transfers, stopping: stopping) { tag throws(ShaleError) in
            do throws(ShaleError) {
                let found = try self.registry.head(
                    repository.with(tag: tag), passingMirrors: true, cancellation: stopping)
                if found.digest == digest { same.update { $0.append(tag) } }
            } catch {
                // A tag that was removed meanwhile, or that is no image, is not one of these tags.
                if error.code == .cancelled { throw error }
            }
        }
        return same.read { $0.sorted() }
    }

    /// Removes a manifest from its registry.
    ///
    /// Throws `unsupported` when the registry does not allow it, and what the request throws.
    package func removeRemote(_ removal: RemoteRemoval, _ operation: OperationContext) throws(ShaleError) {
        try registry.deleteManifest(
            removal.digest, in: removal.reference.repository, cancellation: operation.cancellation)
    }
}
