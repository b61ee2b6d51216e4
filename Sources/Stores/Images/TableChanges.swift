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
    /// Whether an image was listed before, and is listed now.
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
    }

    /// Images that an index's entry notes only before or only after the change.
    ///
    /// The index itself has not changed.
    static func chosenAnew(_ old: ImageTable, _ new: ImageTable) -> Set<Digest> {
        let indexes = { (table: ImageTable) in table.entries.filter(\.isIndex) }
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

    /// Images that are listed now and were not before.
    package var arrived: [Digest] { images.filter { !$0.value.before && $0.value.after }.map(\.key).sorted() }

    /// Images that were listed before and are not now.
    package var departed: [Digest] { images.filter { $0.value.before && !$0.value.after }.map(\.key).sorted() }

    private static func named(_ table: ImageTable) -> [String: ImageEntry] {
        table.entries.reduce(into: [:]) { all, entry in
            // A name of another tool that is no reference is not counted.
            if let text = entry.refName, entry.image != nil { all[text] = entry }
        }
    }
}
