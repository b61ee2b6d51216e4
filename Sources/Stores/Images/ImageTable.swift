import Basics
import FoundationEssentials
package import OCI

/// The entries of `index.json` as a value, which is changed and then written as a whole.
///
/// Invariants: a name occurs once; an image without a name has exactly one entry, and one more for each index with
/// which
/// it was pulled; all entries of an image have the same notes.
package struct ImageTable: Sendable, Hashable {
    package private(set) var entries: [ImageEntry]
    private var annotations: [String: String]?

    package init(entries: [ImageEntry] = []) { self.entries = entries }

    package init(_ index: Index) {
        entries = index.manifests.map { ImageEntry($0) }
        annotations = index.annotations
    }

    private static let stampedKey = "dev.shale.stamped"
    /// A value of that key that is no list, kept so that its lines are not forgotten.
    private static let unreadKey = "dev.shale.stamped.unread"

    /// The changes of lines whose journal entries may not be written yet.
    ///
    /// Those of a later version, which cannot be read here, are left out.
    var stamped: [StampedChanges] { stampedEntries.compactMap(\.changes) }

    private var stampedEntries: [(text: JSONDocument, changes: StampedChanges?)] {
        guard let text = annotations?[Self.stampedKey],
            let list = try? JSONDocument(parsing: Array(text.utf8), naming: Self.stampedKey).array
        else { return [] }
        return list.map { entry in
            (entry, try? JSONDecoder().decode(StampedChanges.self, from: Data(entry.text().utf8)))
        }
    }

    /// Replaces the changes that can be read; the others stay for the version that wrote them.
    ///
    /// Throws what encoding them throws.
    mutating func setStamped(_ changes: [StampedChanges]) throws(ShaleError) {
        let old = annotations?[Self.stampedKey]
        let isList = (old.flatMap { try? JSONDocument(parsing: Array($0.utf8), naming: Self.stampedKey) })?.array != nil
        var entries = stampedEntries.filter { $0.changes == nil }.map(\.text)
        for change in changes {
            entries.append(try JSONDocument(parsing: Array(OCIDocument.encode(change)), naming: Self.stampedKey))
        }
        var notes = annotations ?? [:]
        notes[Self.stampedKey] = entries.isEmpty ? nil : JSONDocument.array(entries).text()
        if let old, !isList { notes[Self.unreadKey] = old }
        annotations = notes.isEmpty ? nil : notes
    }

    package var index: Index {
        var index = Index(manifests: entries.map(\.descriptor))
        index.annotations = annotations
        return index
    }

    /// The entry of a name.
    ///
    /// Without a tag `latest` is used; with a digest the image that a registry has under that digest.
    package func entry(named reference: Reference) -> ImageEntry? {
        if let digest = reference.digest {
            let pinned = reference.repository.with(digest: digest)
            let known = entries.filter { $0.repoDigests.contains(pinned) }
            return known.first { $0.manifest.digest == digest } ?? known.first
                ?? entries.first { $0.manifest.digest == digest && $0.name?.name == reference.name }
        }
        let wanted = reference.withDefaultTag
        let text = wanted.description
        return entries.first { $0.refName == text }
            ?? entries.first { entry in
                // Names that this store wrote are compared as text above. Only names of other tools need parsing.
                !(entry.refName?.isFullReference ?? true) && entry.name == wanted
            }
    }

    /// The first entry of an index whose digest passes a test.
    func entry(ofIndex isMeant: (Digest) -> Bool) -> ImageEntry? {
        entries.first { $0.isIndex && $0.image != nil && isMeant($0.manifest.digest) }
    }

    /// All entries of an image, by its ID.
    package func entries(of image: Digest) -> [ImageEntry] { entries.filter { $0.image == image } }

    /// Inserts an image, under its name when it has one.
    ///
    /// The image that had the name before stays, without the name.
    ///
    /// Returns the entry that had the name before.
    @discardableResult
    package mutating func insert(_ entry: ImageEntry) -> ImageEntry? {
        let entry = merged(entry)
        var replaced: ImageEntry?
        if let name = entry.name, let old = self.entry(named: name) {
            if old.unnamedKey == entry.unnamedKey || (!old.isIndex && old.isSameImage(as: entry)) {
                entries.removeAll { $0 == old }
            } else {
                replaced = old
                untag(old, isKeptAsIndex: true)
            }
        }
        var isKnown = false
        for position in entries.indices where entries[position].isSameImage(as: entry) {
            entries[position].takeNotes(from: entry)
            isKnown = isKnown || !entry.isIndex || entries[position].manifest.digest == entry.manifest.digest
        }
        if entry.refName != nil {
            entries.removeAll { $0.refName == nil && $0.isSameImage(as: entry) && entry.replaces($0) }
            entries.append(entry)
        } else if !isKnown {
            entries.append(entry)
        }
        return replaced
    }

    /// Inserts many images like `insert`, in time that is linear in their number.
    package mutating func insert(contentsOf new: [ImageEntry]) {
        guard new.count > 1 else {
            for entry in new { insert(entry) }
            return
        }
        var batch = TableBatch(entries, new)
        entries = batch.merged()
    }

    /// The images that have a name, by full name.
    package var imagesByName: [String: Digest] {
        entries.reduce(into: [:]) { all, entry in
            if let name = TableBatch.fullName(entry), let image = entry.image { all[name] = image }
        }
    }

    /// The entries of some images, by image.
    package func entriesByImage(of images: Set<Digest>) -> [Digest: [ImageEntry]] {
        var found: [Digest: [ImageEntry]] = [:]
        for entry in entries {
            if let image = entry.image, images.contains(image) { found[image, default: []].append(entry) }
        }
        return found
    }

    /// Removes a name.
    ///
    /// When it was the image's last name, the image stays without a name.
    ///
    /// Returns the entry of the name.
    @discardableResult
    package mutating func removeName(_ reference: Reference) -> ImageEntry? {
        guard let old = entry(named: reference) else { return nil }
        untag(old)
        return old
    }

    /// Removes an index.
    ///
    /// Other entries of its image stay.
    mutating func removeIndex(_ digest: Digest) {
        entries.removeAll { $0.isIndex && $0.manifest.digest == digest }
    }

    /// Removes all entries of an image.
    @discardableResult
    package mutating func removeImage(_ image: Digest) -> [ImageEntry] {
        let removed = entries(of: image)
        entries.removeAll { $0.image == image }
        return removed
    }

    /// Notes the digest under which a registry has an image.
    package mutating func addRepoDigest(_ pinned: Reference, to image: Digest, isPackedAtPush: Bool) {
        for position in entries.indices where entries[position].image == image {
            if isPackedAtPush, entries[position].repoDigests.isEmpty { entries[position].isPackedAtPush = true }
            let all = Set(entries[position].repoDigests).union([pinned])
            entries[position].repoDigests = all.sorted { $0.description < $1.description }
        }
    }

    /// Removes those of an image's repository digests that pass a test.
    package mutating func removeRepoDigests(of image: Digest, where isGone: (Reference) -> Bool) {
        for position in entries.indices where entries[position].image == image {
            entries[position].repoDigests.removeAll(where: isGone)
        }
    }

    /// Appends an entry unchanged, for repair.
    mutating func append(_ entry: ImageEntry) { entries.append(entry) }

    func keepingAnnotations(of other: ImageTable) -> ImageTable {
        var copy = self
        copy.annotations = other.annotations
        return copy
    }

    /// Replaces all entries.
    ///
    /// The caller must keep the invariants above.
    mutating func replaceEntries(_ entries: [ImageEntry]) { self.entries = entries }

    /// Removes every entry that fails a test.
    package mutating func keep(where isSound: (ImageEntry) -> Bool) { entries.removeAll { !isSound($0) } }

    /// Removes an entry's name.
    ///
    /// With `isKeptAsIndex` an index stays also when its image has other entries.
    private mutating func untag(_ entry: ImageEntry, isKeptAsIndex: Bool = false) {
        guard let position = entries.firstIndex(of: entry) else { return }
        let isLast = !entries.contains { $0 != entry && $0.isSameImage(as: entry) }
        let keeps =
            isKeptAsIndex && entry.isIndex && !entries.contains { $0 != entry && $0.unnamedKey == entry.unnamedKey }
        if isLast || keeps {
            entries[position].refName = nil
        } else {
            entries.remove(at: position)
        }
    }

    /// The new entry, with missing notes from an existing entry of the same image.
    private func merged(_ entry: ImageEntry) -> ImageEntry {
        entry.merged(with: entries.first { $0.isSameImage(as: entry) })
    }
}

extension ImageEntry {
    /// The identity of an entry without a name: the digest of an index, or else the image.
    var unnamedKey: Digest { isIndex ? manifest.digest : image ?? manifest.digest }

    /// Whether another entry of the same image, without a name, adds nothing to this one.
    fileprivate func replaces(_ nameless: ImageEntry) -> Bool {
        !nameless.isIndex || nameless.manifest.digest == manifest.digest
    }

    mutating func takeNotes(from other: ImageEntry) {
        image = other.image
        repoDigests = other.repoDigests
        isPackedAtPush = other.isPackedAtPush
        parent = other.parent
        created = other.created
        size = other.size
    }
}

/// Merges a table's entries with new entries in one pass.
private struct TableBatch {
    private let old: [ImageEntry]
    private let new: [ImageEntry]
    /// Image IDs by manifest, where they are known.
    private var images: [Digest: Digest] = [:]
    /// The merged notes of each image.
    ///
    /// Newer notes override older ones.
    private var notes: [Digest: ImageEntry] = [:]

    init(_ old: [ImageEntry], _ new: [ImageEntry]) {
        self.old = old
        self.new = new
        for entry in old + new { if let image = entry.image { images[entry.manifest.digest] = image } }
        for entry in old + new { note(entry) }
    }

    /// The identity of an image: its ID, or its manifest when the ID is not known.
    private func key(_ entry: ImageEntry) -> Digest {
        entry.image ?? images[entry.manifest.digest] ?? entry.manifest.digest
    }

    private mutating func note(_ entry: ImageEntry) {
        let key = key(entry)
        guard let known = notes[key] else {
            notes[key] = entry
            return
        }
        var merged = entry.merged(with: known)
        merged.image = entry.image ?? known.image
        notes[key] = merged
    }

    /// The merged entries.
    ///
    /// A new entry takes its name from the entry that had it.
    mutating func merged() -> [ImageEntry] {
        var owners: [String: Int] = [:]
        for (index, entry) in new.enumerated() { if let name = Self.fullName(entry) { owners[name] = index } }
        let (left, losers) = old.reduce(into: (left: [ImageEntry](), losers: [ImageEntry]())) { parts, entry in
            let isTaken = Self.fullName(entry).map { owners[$0] != nil } ?? false
            if isTaken { parts.losers.append(entry) } else { parts.left.append(entry) }
        }
        var kept = left
        var overtaken: [ImageEntry] = []
        for (index, entry) in new.enumerated() {
            let isOwner = Self.fullName(entry).map { owners[$0] == index } ?? true
            if isOwner { kept.append(entry) } else { overtaken.append(entry) }
        }
        let named = kept.filter { $0.refName != nil }
        var seen = Set(named.map(key))
        var indexes = Set(named.filter(\.isIndex).map(\.manifest.digest))
        var result: [ImageEntry] = []
        for entry in kept + (losers + overtaken).map({ $0.named(nil) }) {
            if entry.refName == nil {
                let isNew =
                    entry.isIndex ? indexes.insert(entry.manifest.digest).inserted : seen.insert(key(entry)).inserted
                guard isNew else { continue }
                seen.insert(key(entry))
            }
            var entry = entry
            if let known = notes[key(entry)] { entry.takeNotes(from: known) }
            result.append(entry)
        }
        return result
    }

    /// The full name of an entry.
    ///
    /// Names that this store wrote are full; only names of other tools need parsing.
    static func fullName(_ entry: ImageEntry) -> String? {
        guard let text = entry.refName else { return nil }
        return text.isFullReference ? text : entry.name?.description ?? text
    }
}

extension String {
    /// Whether there is a path before the last part, and a tag or digest in the last part.
    var isFullReference: Bool {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else { return false }
        return utf8[slash...].contains(UInt8(ascii: ":"))
    }
}
