package import OCI

/// Changes of names and listed images, for one or more states, which are written at once.
package struct TableMoves: Sendable {
    /// A name with a new target.
    package struct Name: Sendable {
        package var reference: Reference
        /// The current entry of the name, as far as the caller knows.
        package var expected: ImageEntry?
        /// `nil` to remove the name.
        package var target: ImageEntry?

        /// `reference` must be in its full form.
        package init(_ reference: Reference, expected: ImageEntry?, target: ImageEntry?) {
            self.reference = reference
            self.expected = expected
            self.target = target
        }
    }

    package var names: [Name]
    /// Images to list again; an index by its own digest, when its image is listed already.
    package var shown: Set<Digest>
    /// Images to retain only for the session; an index by its own digest, when its image stays listed.
    package var hidden: Set<Digest>

    package init(names: [Name] = [], shown: Set<Digest> = [], hidden: Set<Digest> = []) {
        self.names = names
        self.shown = shown
        self.hidden = hidden
    }

    package var isEmpty: Bool { names.isEmpty && shown.isEmpty && hidden.isEmpty }
}

extension ImageTable {
    /// The entry of each name, by full name.
    package var namedEntries: [String: ImageEntry] {
        var found: [String: ImageEntry] = [:]
        for entry in entries { if let name = entry.fullName, found[name] == nil { found[name] = entry } }
        return found
    }

    /// Sets or removes many names, by full name, in time that is linear in the size of the table.
    ///
    /// An image that loses its last name stays without a name.
    mutating func setNames(_ targets: [String: ImageEntry?]) {
        let images = Dictionary(
            entries.compactMap { entry in entry.image.map { (entry.manifest.digest, $0) } },
            uniquingKeysWith: { a, _ in a })
        func key(_ entry: ImageEntry) -> Digest {
            entry.image ?? images[entry.manifest.digest] ?? entry.manifest.digest
        }
        var known: [Digest: ImageEntry] = [:]
        for entry in entries where known[key(entry)] == nil { known[key(entry)] = entry }
        var all = entries.map { entry in
            guard let name = entry.fullName, targets.keys.contains(name) else { return entry }
            return entry.named(nil)
        }
        for (name, target) in targets.sorted(by: { $0.key < $1.key }) {
            guard var entry = target else { continue }
            entry = entry.merged(with: known[key(entry)])
            known[key(entry)] = entry
            entry.refName = name
            all.append(entry)
        }
        let named = Set(all.filter { $0.refName != nil }.map(key))
        let namedIndexes = Set(all.filter { $0.refName != nil && $0.isIndex }.map(\.manifest.digest))
        var unnamed: Set<Digest> = []
        func isKept(_ entry: ImageEntry) -> Bool {
            if entry.refName != nil { return true }
            let digest = entry.isIndex ? entry.manifest.digest : key(entry)
            return !(entry.isIndex ? namedIndexes : named).contains(digest) && unnamed.insert(digest).inserted
        }
        replaceEntries(
            all.filter(isKept)
                .map { entry in
                    // All entries of an image have the same notes.
                    var entry = entry
                    if let notes = known[key(entry)] { entry.takeNotes(from: notes) }
                    return entry
                })
    }

    /// The images of `wanted` that can be hidden: they have no name, are not used, and no image that stays was built on
    /// them.
    func hideable(_ wanted: Set<Digest>, isUsed: (Digest) -> Bool) -> Set<Digest> {
        var children: [Digest: Int] = [:]
        var parents: [Digest: Set<Digest>] = [:]
        var named: Set<Digest> = []
        for entry in entries {
            guard let image = entry.image else { continue }
            if entry.refName != nil { named.insert(image) }
            for member in Set(entry.members ?? []) where member != image {
                if parents[image, default: []].insert(member).inserted { children[member, default: 0] += 1 }
            }
            guard let parent = entry.parent, parents[image, default: []].insert(parent).inserted else { continue }
            children[parent, default: 0] += 1
        }
        let listed = Set(entries.compactMap(\.image))
        let candidates = wanted.filter { listed.contains($0) && !named.contains($0) && !isUsed($0) }
        var going: Set<Digest> = []
        var pending = candidates.filter { children[$0, default: 0] == 0 }
        while let image = pending.popFirst() {
            going.insert(image)
            for parent in parents[image] ?? [] {
                children[parent, default: 0] -= 1
                if children[parent] == 0, candidates.contains(parent) { pending.insert(parent) }
            }
        }
        return going
    }

    /// The entries of `wanted` indexes that can be hidden: they have no name, and their image has another entry.
    func hideableIndexes(_ wanted: Set<Digest>) -> [ImageEntry] {
        let indexes = entries.filter { $0.isIndex && wanted.contains($0.manifest.digest) }
        let named = Set(indexes.filter { $0.refName != nil }.map(\.manifest.digest))
        return indexes.filter { entry in
            !named.contains(entry.manifest.digest)
                && entries.contains { $0.unnamedKey != entry.unnamedKey && $0.isSameImage(as: entry) }
        }
    }
}

extension ImageEntry {
    /// The full name of the entry.
    ///
    /// Names that this store wrote are full; only names of other tools need parsing.
    fileprivate var fullName: String? {
        guard let refName else { return nil }
        return refName.isFullReference ? refName : name?.description
    }

    /// The entry, with missing notes from a known entry of the same image.
    func merged(with known: ImageEntry?) -> ImageEntry {
        guard let known else { return self }
        var result = self
        if known.repoDigests != repoDigests {
            result.repoDigests = Set(known.repoDigests).union(repoDigests).sorted { $0.description < $1.description }
        }
        result.isPackedAtPush = isPackedAtPush || known.isPackedAtPush
        result.parent = parent ?? known.parent
        result.created = created ?? known.created
        result.size = size ?? known.size
        return result
    }
}
