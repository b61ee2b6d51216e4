package import Basics
import Linux
package import OCI
import Registries

/// The order of `tags`.
package enum TagSort: String, Sendable, CaseIterable {
    /// By name, compared as bytes.
    case name
    /// The newest version first.
    case semver
}

extension ImageEngine {
    /// All tags of a repository in its registry.
    ///
    /// With `glob` only those that match the pattern (`*`, `?`, `[…]`).
    ///
    /// Throws what reading the pattern or asking the registry throws.
    package func remoteTags(
        of repository: Reference, matching glob: String?, order: TagSort?, _ operation: OperationContext
    ) throws(ShaleError) -> [String] {
        var tags = try registry.tags(repository, cancellation: operation.cancellation)
        if let glob {
            let pattern = try Glob(parsing: glob)
            tags = tags.filter { pattern.matches($0) }
        }
        switch order {
        case .name: tags.sort { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        case .semver: tags = TagOrder.newestFirst(tags)
        case nil: break
        }
        return tags
    }

    /// The digests of tags.
    ///
    /// They are `nil` unless `fetching`, which sends one request for each tag.
    ///
    /// Throws what the first failed request to the registry throws.
    package func remoteDigests(
        of tags: [String], in repository: Reference, fetching: Bool, _ operation: OperationContext
    ) throws(ShaleError) -> [(tag: String, digest: Digest?)] {
        guard fetching else { return tags.map { ($0, nil) } }
        let found = Condition<[String: Digest]>([:])
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(tags, limit: ImageLimits.transfers, stopping: stopping) { tag throws(ShaleError) in
            let descriptor = try self.registry.head(repository.with(tag: tag), cancellation: stopping)
            found.update { $0[tag] = descriptor.digest }
        }
        let digests = found.read { $0 }
        return tags.map { ($0, digests[$0]) }
    }
}
