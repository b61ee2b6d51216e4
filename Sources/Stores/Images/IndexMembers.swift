package import Basics
import Linux
package import OCI

/// One member of an index, and what of it is in the store.
package struct IndexMember: Sendable, Hashable {
    /// The descriptor in the index.
    package var descriptor: Descriptor
    package var kind: MemberKind
    /// The platform in the index, or in the config when the index names none.
    package var platform: Platform?
    /// Its manifest, when it is in the store and can be read.
    package var manifest: Manifest?
    /// The image ID, when manifest and config are in the store.
    package var image: Digest?

    /// Whether containers can be made from it here.
    var isUsable: Bool { kind == .image && image != nil && (platform.map { $0.os == "linux" } ?? false) }
}

/// The disk usage of a member of an index, in bytes.
package struct MemberUsage: Sendable, Hashable {
    /// Its documents and layer blobs that are in the store.
    package var packed: Int64 = 0
    /// Its unpacked layers.
    package var unpacked: Int64 = 0
    /// Whether its manifest, its config and all its layers are in the store.
    package var isWhole = true
}

/// The members of indexes, which names for several platforms stand for.
extension ImageStore {
    /// The limits for nested indexes: their depth, and how many are read.
    package static let nesting = (depth: 4, indexes: 100)

    /// The members of an index in order, with those of nested indexes in their place.
    ///
    /// An index may be partial: members that are not in the store have no manifest and no image. Throws `notFound` for
    /// an
    /// index that is not in the store, `corrupt` for a malformed document, `invalid` for too deeply nested indexes.
    package func members(of index: Descriptor) throws(ShaleError) -> [IndexMember] {
        var seen: Set<Digest> = []
        var found: [IndexMember] = []
        try collect(index, depth: 0, &seen, into: &found)
        return found
    }

    private func collect(
        _ descriptor: Descriptor, depth: Int, _ seen: inout Set<Digest>, into found: inout [IndexMember],
        _ visit: (Descriptor) -> Void = { _ in }
    ) throws(ShaleError) {
        // An index that is listed twice is read once.
        guard seen.insert(descriptor.digest).inserted else { return }
        guard depth < Self.nesting.depth, seen.count <= Self.nesting.indexes else {
            throw ShaleError(.invalid, "index \(descriptor.digest): indexes within indexes")
        }
        visit(descriptor)
        for entry in try index(descriptor).manifests {
            if MediaType.isIndex(entry.mediaType), isHere(entry) {
                try collect(entry, depth: depth + 1, &seen, into: &found, visit)
            } else {
                found.append(try member(entry))
            }
        }
    }

    /// An index and its nested indexes in the store, the outermost first.
    ///
    /// Throws what ``members(of:)`` throws.
    package func indexes(in index: Descriptor) throws(ShaleError) -> [Descriptor] {
        var seen: Set<Digest> = []
        var members: [IndexMember] = []
        var found: [Descriptor] = []
        try collect(index, depth: 0, &seen, into: &members) { found.append($0.bare) }
        return found
    }

    /// The document of an index.
    func index(_ descriptor: Descriptor) throws(ShaleError) -> Index {
        let what = "index \(descriptor.digest)"
        let index = try OCIDocument.read(Index.self, from: try blobs.bytes(descriptor.digest), naming: what)
        try index.validate(naming: what)
        return index
    }

    /// Whether a blob with the size of its descriptor is in the store.
    func isHere(_ descriptor: Descriptor) -> Bool {
        blobs.contains(descriptor.digest) && (try? blobs.size(descriptor.digest)) == descriptor.size
    }

    private func member(_ entry: Descriptor) throws(ShaleError) -> IndexMember {
        var member = IndexMember(descriptor: entry, kind: entry.memberKind, platform: entry.platform)
        guard MediaType.isManifest(entry.mediaType), isHere(entry), let manifest = try ifSound(manifest(entry)) else {
            return member
        }
        member.manifest = manifest
        guard member.kind == .image, MediaType.isConfig(manifest.config.mediaType), isHere(manifest.config) else {
            return member
        }
        if member.platform == nil {
            guard let config = try ifSound(config(of: manifest)) else { return member }
            member.platform = config.platform
        }
        member.image = manifest.config.digest
        return member
    }

    func config(of manifest: Manifest) throws(ShaleError) -> ImageConfig {
        try OCIDocument.read(
            ImageConfig.self, from: try blobs.bytes(manifest.config.digest), naming: "config \(manifest.config.digest)")
    }

    /// The member that a use takes, among those whose manifest and config are in the store.
    ///
    /// All commands use this rule.
    ///
    /// With a platform it is the best match in containerd's order. Without one it is the best match for this machine,
    /// or else
    /// the first member. `nil` when there is none.
    package static func choose(from members: [IndexMember], for platform: Platform?) -> IndexMember? {
        let usable = members.filter(\.isUsable)
        let order = PlatformOrder(platform ?? .host)
        var best: (member: IndexMember, rank: Int)?
        for member in usable {
            guard let offered = member.platform, let rank = order.rank(offered) else { continue }
            if best.map({ rank < $0.rank }) ?? true { best = (member, rank) }
        }
        return best?.member ?? (platform == nil ? usable.first : nil)
    }

    /// The disk usage of a member.
    package func usage(of member: IndexMember) -> MemberUsage {
        guard let manifest = member.manifest else { return MemberUsage(isWhole: false) }
        var usage = MemberUsage(packed: member.descriptor.size)
        var seen: Set<Digest> = []
        for blob in [manifest.config] + manifest.layers where seen.insert(blob.digest).inserted {
            if isHere(blob) {
                usage.packed = usage.packed.addingClamped(blob.size)
            } else if !MediaType.isForeignLayer(blob.mediaType) {
                usage.isWhole = false
            }
        }
        if member.image != nil, let config = try? config(of: manifest) {
            usage.unpacked = layers.totalSize(of: config)
        }
        return usage
    }

    /// The manifests in the store to which an entry leads.
    ///
    /// An index that is missing or damaged has none. Throws the error of a file that cannot be read.
    func manifests(of entry: ImageEntry) throws(ShaleError) -> [(descriptor: Descriptor, manifest: Manifest)] {
        guard entry.isIndex else {
            return try ifSound(manifest(entry.manifest)).map { [(entry.manifest, $0)] } ?? []
        }
        return (try ifSound(members(of: entry.manifest)) ?? []).compactMap { member in
            member.manifest.map { (member.descriptor, $0) }
        }
    }

    /// The first member of these entries' indexes that passes a test, with its entry.
    ///
    /// Throws the error of a file that cannot be read.
    func indexEntry(
        among entries: some Sequence<ImageEntry>, where isMeant: (IndexMember) -> Bool
    ) throws(ShaleError) -> (entry: ImageEntry, member: IndexMember)? {
        var seen: Set<Digest> = []
        for entry in entries where entry.isIndex && seen.insert(entry.manifest.digest).inserted {
            let members = try ifSound(members(of: entry.manifest)) ?? []
            if let member = members.first(where: isMeant) { return (entry, member) }
        }
        return nil
    }

    /// For each image the image whose entry lists it: itself, or the noted image of its index.
    ///
    /// Throws the error of an index that cannot be read.
    func listed(as images: Set<Digest>, in table: ImageTable) throws(ShaleError) -> [Digest: Digest] {
        let known = Set(table.entries.compactMap(\.image))
        var missing = images.subtracting(known)
        var found: [Digest: Digest] = [:]
        guard !missing.isEmpty else { return found }
        var seen: Set<Digest> = []
        for entry in table.entries where entry.isIndex && seen.insert(entry.manifest.digest).inserted {
            guard let image = entry.image, !missing.isEmpty else { continue }
            for member in try ifSound(members(of: entry.manifest)) ?? [] {
                if let id = member.image, missing.remove(id) != nil { found[id] = image }
            }
        }
        return found
    }

    /// For each image that only an index lists, the image that the index's entry notes.
    ///
    /// Throws what reading the names throws.
    package func listed(as images: some Sequence<Digest>) throws(ShaleError) -> [Digest: Digest] {
        try listed(as: Set(images), in: names.table())
    }

    /// The error for a missing platform of a name, in docker's wording, with the command that pulls it.
    package static func noPlatform(_ platform: Platform, of name: String, among members: [IndexMember]) -> ShaleError {
        let order = PlatformOrder(platform)
        let isListed = members.contains { member in
            member.kind == .image && (member.platform.map { order.rank($0) != nil } ?? false)
        }
        var offered: [String] = []
        for member in members where member.kind == .image {
            guard let text = member.platform?.description, !offered.contains(text) else { continue }
            offered.append(text)
        }
        let hint =
            if isListed {
                "pull --platform \(platform) \(name)"
            } else if !offered.isEmpty {
                "it is there for \(offered.joined(separator: ", "))"
            } else {
                "platforms \(name)   (what the name leads to)"
            }
        return ShaleError(
            .notFound,
            "image with reference \(name) was found but does not provide the specified platform (\(platform))",
            hint: hint)
    }
}

extension Descriptor {
    /// The descriptor without the annotations and platform of an index.
    package var bare: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }
}
