package import OCI

/// The changes of names and images by one process.
///
/// A session records them, so that they can be undone.
///
/// Changes that were reverted meanwhile do not count.
package struct TableChanges: Sendable {
    /// A name that moved.
    package struct Move: Sendable, Hashable, Codable {
        package let reference: Reference
        /// `nil` when the name did not exist.
        package let before: ImageEntry?
        package let after: ImageEntry?
    }

    private struct Named {
        var before: ImageEntry?
        var after: ImageEntry?
    }

    private var names: [String: Named] = [:]
    /// Whether an image was listed before, and is listed now; also an index without a name, by its own digest, while
    /// its image stays listed.
    private var images: [Digest: (before: Bool, after: Bool)] = [:]

    package init() {}

    mutating func add(from old: ImageTable, to new: ImageTable) {
        let before = Self.named(old)
        let after = Self.named(new)
        for name in Set(before.keys).union(after.keys)
        where before[name]?.manifest.digest != after[name]?.manifest.digest {
            var known = names[name] ?? Named(before: before[name])
            known.after = after[name]
            names[name] = known
        }
        let were = Set(old.entries.compactMap(\.image))
        let are = Set(new.entries.compactMap(\.image))
        let moved = Self.chosenAnew(old, new)
        for image in were.symmetricDifference(are) where !moved.contains(image) {
            var known = images[image] ?? (before: were.contains(image), after: false)
            known.after = are.contains(image)
            images[image] = known
        }
        addIndexes(from: old, to: new, ofImages: were.intersection(are))
    }

    /// Notes indexes without a name that came or went while their images stayed listed.
    ///
    /// The images themselves do not show these changes.
    private mutating func addIndexes(from old: ImageTable, to new: ImageTable, ofImages stayed: Set<Digest>) {
        let (before, after) = (Self.indexes(old), Self.indexes(new))
        func note(_ entries: [ImageEntry], notIn others: Set<Digest>, arrived: Bool) {
            for entry in entries where entry.refName == nil {
                let index = entry.manifest.digest
                guard !others.contains(index), let image = entry.image, stayed.contains(image) else { continue }
                var known = images[index] ?? (before: !arrived, after: arrived)
                known.after = arrived
                images[index] = known
            }
        }
        note(before, notIn: Set(after.map(\.manifest.digest)), arrived: false)
        note(after, notIn: Set(before.map(\.manifest.digest)), arrived: true)
    }

    private static func indexes(_ table: ImageTable) -> [ImageEntry] { table.entries.filter(\.isIndex) }

    /// Images that an index's entry notes only before or only after the change.
    ///
    /// The index itself has not changed.
    static func chosenAnew(_ old: ImageTable, _ new: ImageTable) -> Set<Digest> {
        let same = Set(indexes(old).map(\.manifest.digest)).intersection(indexes(new).map(\.manifest.digest))
        guard !same.isEmpty else { return [] }
        let images = { (table: ImageTable) in
            Set(indexes(table).filter { same.contains($0.manifest.digest) }.compactMap(\.image))
        }
        return images(old).symmetricDifference(images(new))
    }

    /// The names that moved, sorted.
    package var moves: [Move] {
        names.sorted { $0.key < $1.key }.compactMap { _, named in
            guard let reference = (named.after ?? named.before)?.name,
                named.before?.manifest.digest != named.after?.manifest.digest
            else { return nil }
            return Move(reference: reference, before: named.before, after: named.after)
        }
    }

    /// Images that are listed now and were not before; also indexes without a name, by their own digests.
    package var arrived: [Digest] { images.filter { !$0.value.before && $0.value.after }.map(\.key).sorted() }

    /// Images that were listed before and are not now; also indexes without a name, by their own digests.
    package var departed: [Digest] { images.filter { $0.value.before && !$0.value.after }.map(\.key).sorted() }

    private static func named(_ table: ImageTable) -> [String: ImageEntry] {
        table.entries.reduce(into: [:]) { all, entry in
            // A name of another tool that is no reference is not counted.
            if let text = entry.refName, entry.image != nil { all[text] = entry }
        }
    }
}
