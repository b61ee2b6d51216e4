package import OCI

/// What one process changed in names and images: a session writes it down, so that it can be undone.
///
/// Changes that were reverted in between do not count.
package struct TableChanges: Sendable {
    /// A name that leads elsewhere than before.
    package struct Move: Sendable, Hashable, Codable {
        package let reference: Reference
        /// `nil` for no image of that name.
        package let before: ImageEntry?
        package let after: ImageEntry?
    }

    private struct Named {
        var before: ImageEntry?
        var after: ImageEntry?
    }

    private var names: [String: Named] = [:]
    /// Whether an image was there before, and is there now.
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

    /// Images that an entry of an index notes before or after: what it stands for has not changed.
    static func chosenAnew(_ old: ImageTable, _ new: ImageTable) -> Set<Digest> {
        let indexes = { (table: ImageTable) in table.entries.filter(\.isIndex) }
        let same = Set(indexes(old).map(\.manifest.digest)).intersection(indexes(new).map(\.manifest.digest))
        guard !same.isEmpty else { return [] }
        let images = { (table: ImageTable) in
            Set(indexes(table).filter { same.contains($0.manifest.digest) }.compactMap(\.image))
        }
        return images(old).symmetricDifference(images(new))
    }

    /// Names that lead elsewhere, sorted.
    package var moves: [Move] {
        names.sorted { $0.key < $1.key }.compactMap { _, named in
            guard let reference = (named.after ?? named.before)?.name,
                named.before?.manifest.digest != named.after?.manifest.digest
            else { return nil }
            return Move(reference: reference, before: named.before, after: named.after)
        }
    }

    /// Images that are here now and were not.
    package var arrived: [Digest] { images.filter { !$0.value.before && $0.value.after }.map(\.key).sorted() }

    /// Images that were here and are no longer.
    package var departed: [Digest] { images.filter { $0.value.before && !$0.value.after }.map(\.key).sorted() }

    private static func named(_ table: ImageTable) -> [String: ImageEntry] {
        table.entries.reduce(into: [:]) { all, entry in
            // What another tool called no reference is no name here.
            if let text = entry.refName, entry.image != nil { all[text] = entry }
        }
    }
}
