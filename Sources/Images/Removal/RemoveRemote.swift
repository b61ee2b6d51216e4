package import Basics
import Linux
package import OCI
import Registries

/// What goes when a name's manifest is removed from its registry.
package struct RemoteRemoval: Sendable {
    package let reference: Reference
    package let digest: Digest
    /// All tags that lead to the manifest, sorted; `nil` where that would take too many requests.
    package let tags: [String]?
}

extension ImageEngine {
    /// Above so many tags they are not looked through.
    private static let mostTags = 100

    /// What a name in a registry stands for, and which other tags are the same.
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
                // One that went meanwhile, or that is no image, is none of these.
                if error.code == .cancelled { throw error }
            }
        }
        return same.read { $0.sorted() }
    }

    /// Removes a manifest from its registry.
    ///
    /// Throws `unsupported` where the registry does not delete, and what the request throws.
    package func removeRemote(_ removal: RemoteRemoval, _ operation: OperationContext) throws(ShaleError) {
        try registry.deleteManifest(
            removal.digest, in: removal.reference.repository, cancellation: operation.cancellation)
    }
}
