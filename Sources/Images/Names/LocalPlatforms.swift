package import Basics
package import OCI
package import Stores

/// One entry of an index of this home.
package struct LocalPlatform: Sendable {
    package var member: IndexMember
    package var usage: MemberUsage
    /// Whether a use of the name takes it where no platform is asked for.
    package var isChosen: Bool
    /// How many containers stand on it.
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
    /// What an index of this home lists, and what of it is here; `image` is the one that its entry notes.
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

    /// The same of a name, where that is one here and stands for an index.
    ///
    /// Throws what reading the names and the index throws.
    package func localPlatforms(named reference: Reference) throws(ShaleError) -> [LocalPlatform]? {
        guard let entry = try entry(named: reference), entry.isIndex else { return nil }
        return try localPlatforms(of: entry.manifest, noting: entry.image)
    }

    /// The documents that an entry of the table consists of here: its manifest; of an index the manifests of what is
    /// here whole, the indexes in it, and last the index itself.
    ///
    /// Throws what reading an index throws.
    package func documents(of entry: Descriptor) throws(ShaleError) -> [Descriptor] {
        guard MediaType.isIndex(entry.mediaType) else { return [entry] }
        let members = try store.images.members(of: entry).filter { store.images.usage(of: $0).isWhole }
        return members.map(\.descriptor.bare) + (try store.images.indexes(in: entry)).reversed()
    }

    /// What an index of this home lists; see ``ImageStore/members(of:)``.
    package func listedMembers(of index: Descriptor) throws(ShaleError) -> [IndexMember] {
        try store.images.members(of: index)
    }

    /// Whether all that an index lists is here.
    package func isWhole(_ index: Descriptor) throws(ShaleError) -> Bool {
        try store.images.members(of: index).allSatisfy { store.images.usage(of: $0).isWhole }
    }
}
