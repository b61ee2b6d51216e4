package import Basics
package import OCI
package import Stores

/// One entry of an index in this home.
package struct LocalPlatform: Sendable {
    package var member: IndexMember
    package var usage: MemberUsage
    /// Whether a use of the name without a platform takes it.
    package var isChosen: Bool
    /// How many containers use it.
    package var containers: Int

    package var presence: Presence {
        if member.manifest == nil { return .none }
        return usage.isWhole ? .whole : .part
    }

    package enum Presence: Sendable {
        case whole
        case part
        case none
    }
}

extension ImageEngine {
    /// The entries of an index in this home, and how much of each is in the store.
    ///
    /// `image` is the index's noted image.
    ///
    /// Throws what reading the index and the containers' records throws.
    package func localPlatforms(
        of index: Descriptor, noting image: Digest?
    ) throws(ShaleError) -> [LocalPlatform] {
        let uses = Dictionary(grouping: try store.containers.all(), by: \.image).mapValues(\.count)
        var isFound = false
        return try store.images.members(of: index).map { member in
            let isChosen = !isFound && member.kind == .image && member.image != nil && member.image == image
            if isChosen { isFound = true }
            return LocalPlatform(
                member: member, usage: store.images.usage(of: member), isChosen: isChosen,
                containers: member.image.flatMap { uses[$0] } ?? 0)
        }
    }

    /// The entries of the index that a name stands for; `nil` when there is no such name, or it stands for no index.
    ///
    /// Throws what reading the names and the index throws.
    package func localPlatforms(named reference: Reference) throws(ShaleError) -> [LocalPlatform]? {
        guard let entry = try entry(named: reference), entry.isIndex else { return nil }
        return try localPlatforms(of: entry.manifest, noting: entry.image)
    }

    /// The documents of a table entry that are in the store: its manifest, or for an index the manifests of its
    /// complete members, the nested indexes, and the index itself as the last.
    ///
    /// Throws what reading an index throws.
    package func documents(of entry: Descriptor) throws(ShaleError) -> [Descriptor] {
        guard MediaType.isIndex(entry.mediaType) else { return [entry] }
        let members = try store.images.members(of: entry).filter { store.images.usage(of: $0).isWhole }
        return members.map(\.descriptor.bare) + (try store.images.indexes(in: entry)).reversed()
    }

    /// The members of an index in this home; see ``ImageStore/members(of:)``.
    ///
    /// Throws what reading the index throws.
    package func listedMembers(of index: Descriptor) throws(ShaleError) -> [IndexMember] {
        try store.images.members(of: index)
    }

    /// Whether everything that an index lists is in the store.
    ///
    /// Throws what reading the index throws.
    package func isWhole(_ index: Descriptor) throws(ShaleError) -> Bool {
        try store.images.members(of: index).allSatisfy { store.images.usage(of: $0).isWhole }
    }
}
