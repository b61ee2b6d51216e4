package import Basics
import Diagnostics
import Linux
import Logging
package import OCI
import Synchronization

/// Images as docker has them, made from the layout's blobs and names.
package final class ImageStore: Sendable {
    let blobs: BlobStore
    let names: NameStore
    /// Images that only sessions can bring back.
    let retained: NameStore
    let layers: LayerStore
    let lock: StoreLock
    let leases: Leases
    /// Retained images that a session named in this process.
    ///
    /// They can be used like any other image.
    private let admitted = Mutex<Set<Digest>>([])

    init(
        blobs: BlobStore, names: NameStore, retained: NameStore, layers: LayerStore, lock: StoreLock, leases: Leases
    ) {
        self.blobs = blobs
        self.names = names
        self.retained = retained
        self.layers = layers
        self.lock = lock
        self.leases = leases
    }

    /// All images, newest first.
    ///
    /// Build steps without a name are included only on request.
    ///
    /// Only `index.json` is read. Throws what reading it throws.
    package func all(includingIntermediate: Bool = false) throws(ShaleError) -> [ImageSummary] {
        let summaries = ImageSummary.all(in: try notedTable())
        return (includingIntermediate ? summaries : summaries.filter { !$0.isIntermediate })
            .sorted { ($0.created ?? .epoch, $0.id.hex) > ($1.created ?? .epoch, $1.id.hex) }
    }

    /// The image with an ID, listed or retained.
    ///
    /// Throws `notFound`, in docker's wording, when there is none, and what reading its manifest or config throws.
    package func image(_ id: Digest) throws(ShaleError) -> Image {
        let table = try notedTable()
        if let entry = try listedOrRetainedEntry(id, in: table) { return try load(entry, from: table) }
        guard let image = try member(id, in: table) else { throw Self.noSuchImage(id.description) }
        return image
    }

    /// The same for an ID that may be none, of an image that may be gone: then `nil`.
    ///
    /// Throws what reading it throws.
    package func imageIfHere(_ id: Digest?) throws(ShaleError) -> Image? {
        guard let id else { return nil }
        return try ifFound(image(id))
    }

    /// An image that an index lists and that has no entry of its own.
    private func member(_ id: Digest, in table: ImageTable) throws(ShaleError) -> Image? {
        let entries = table.entries + (try retained.table().entries)
        guard let (entry, member) = try indexEntry(among: entries, where: { $0.image == id }) else { return nil }
        return try load(entry, member: member, from: table)
    }

    /// Makes an image that only a session keeps findable by its whole id in this process; no listing shows it.
    package func admit(_ id: Digest) { admitted.withLock { _ = $0.insert(id) } }

    func listedOrRetainedEntry(_ id: Digest, in table: ImageTable) throws(ShaleError) -> ImageEntry? {
        if let entry = table.entries(of: id).first { return entry }
        return try retainedEntry(id)
    }

    func retainedEntry(_ id: Digest) throws(ShaleError) -> ImageEntry? { try retained.table().entries(of: id).first }

    private func admittedEntry(_ text: String) throws(ShaleError) -> ImageEntry? {
        guard let id = try? Digest(parsing: text.hasPrefix("sha256:") ? text : "sha256:\(text)"),
            admitted.withLock({ $0.contains(id) })
        else { return nil }
        return try retainedEntry(id)
    }

    /// The image of a manifest, for a container or session; it may have no name.
    ///
    /// Throws `notFound` when the manifest or the config is not in the store, and what reading them throws.
    package func image(manifest descriptor: Descriptor) throws(ShaleError) -> Image {
        let table = try notedTable()
        if let entry = table.entries.first(where: { $0.manifest.digest == descriptor.digest && $0.image != nil }) {
            return try load(entry, from: table)
        }
        if MediaType.isIndex(descriptor.mediaType) {
            return try load(ImageEntry(manifest: descriptor, image: nil), from: table)
        }
        let id = try manifest(descriptor).config.digest
        // A member of an index has the notes of the index's image.
        var entry = table.entries(of: id).first?.named(nil) ?? ImageEntry(manifest: descriptor, image: nil)
        entry.manifest = descriptor
        return try load(entry, from: table)
    }

    /// The image that a text names: `name[:tag]`, `name@digest`, an ID, or the beginning of an ID.
    ///
    /// As in docker, a name comes before an ID. For the name of an index it is the member that ``choose(from:for:)``
    /// returns.
    /// Throws `notFound` (`No such image: x:latest`, or docker's message for a missing platform), `invalid` for a
    /// malformed
    /// name, `conflict` when several IDs begin with the text.
    package func find(_ text: String, platform: Platform? = nil) throws(ShaleError) -> Image {
        let table = try notedTable()
        let entry: ImageEntry
        do throws(ShaleError) {
            entry = try self.entry(of: text, in: table)
        } catch {
            guard error.code == .notFound, let image = try member(named: text, in: table) else { throw error }
            return try Self.checked(image, is: platform, text)
        }
        guard let platform, entry.isIndex else {
            return try Self.checked(try load(entry, from: table), is: platform, text)
        }
        let members = try members(of: entry.manifest)
        guard let member = Self.choose(from: members, for: platform) else {
            throw Self.noPlatform(platform, of: (try? Reference(parsing: text))?.familiar ?? text, among: members)
        }
        return try load(entry, member: member, from: table)
    }

    private static func checked(_ image: Image, is platform: Platform?, _ text: String) throws(ShaleError) -> Image {
        guard let platform, !PlatformOrder(platform).accepts(image.config.platform) else { return image }
        throw ShaleError(
            .notFound,
            "image with reference \(text.visible) was found but its platform (\(image.config.platform)) does not match "
                + "the specified platform (\(platform))", hint: "pull --platform \(platform) \(text.visible)")
    }

    /// A member of an index by its image ID, the digest of its manifest, the beginning of either, or `name@digest`.
    private func member(named text: String, in table: ImageTable) throws(ShaleError) -> Image? {
        var indexes = table.entries.filter(\.isIndex)
        guard !indexes.isEmpty, let wanted = try? AnyReference(parsing: text) else { return nil }
        let digits: String
        if case .named(let name) = wanted, let digest = name.digest {
            digits = digest.hex
            indexes = indexes.filter { entry in
                entry.name?.name == name.name || entry.repoDigests.contains { $0.name == name.name }
            }
        } else {
            digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        }
        guard !digits.isEmpty, digits.hasOnlyLowercaseHexDigits else {
            return nil
        }
        let isMeant = { (member: IndexMember) in
            guard let image = member.image else { return false }
            return image.hex.hasPrefix(digits) || member.descriptor.digest.hex.hasPrefix(digits)
        }
        guard let (entry, member) = try indexEntry(among: indexes, where: isMeant) else { return nil }
        if try indexEntry(among: indexes, where: { isMeant($0) && $0.image != member.image }) != nil {
            throw ShaleError(
                .conflict, "ambiguous image id: \(text) begins more than one", hint: "images --tree --no-trunc")
        }
        return try load(entry, member: member, from: table)
    }

    /// Whether a text is the full name or the full ID of an image in the store.
    func isWholeName(_ text: String) -> Bool {
        guard let table = try? notedTable(), let wanted = try? AnyReference(parsing: text) else { return false }
        switch wanted {
        case .digest(let id): return !table.entries(of: id).isEmpty
        case .named(let name): return table.entry(named: name) != nil
        }
    }

    /// The ID of the image that a text names.
    ///
    /// Only `index.json` is read.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when several IDs begin with the text, and `invalid`
    /// when the
    /// text cannot be a reference.
    package func id(of text: String) throws(ShaleError) -> Digest {
        let entry = try entry(of: text, in: try notedTable())
        return entry.image ?? entry.manifest.digest
    }

    /// The images that were built directly on an image.
    ///
    /// Throws what reading the names throws.
    package func children(of id: Digest) throws(ShaleError) -> [Digest] {
        Array(
            Set(
                try notedTable().entries.compactMap {
                    $0.parent == id || ($0.image != id && ($0.members ?? []).contains(id)) ? $0.image : nil
                })
        ).sorted()
    }

    /// Gives an image another name; returns the entry that had the name before, when that was another image.
    ///
    /// Throws `notFound` when there is no such image, `invalid` when the reference cannot be a tag, and what writing
    /// the names
    /// throws.
    @discardableResult
    package func tag(_ id: Digest, as reference: Reference) throws(ShaleError) -> ImageEntry? {
        try tag(id, ofManifest: nil, as: reference)
    }

    /// Gives an image another name.
    ///
    /// An image that was found by the name of an index gives the name to that index.
    @discardableResult
    package func tag(_ image: Image, as reference: Reference) throws(ShaleError) -> ImageEntry? {
        try tag(image.id, ofManifest: image.index ?? image.manifestDescriptor, as: reference)
    }

    private func tag(
        _ id: Digest, ofManifest manifest: Descriptor?, as reference: Reference
    ) throws(ShaleError) -> ImageEntry? {
        try names.update { table throws(ShaleError) in
            let same = table.entries(of: id)
            if let entry = same.first(where: { $0.manifest.digest == manifest?.digest }) {
                return try table.insert(entry.named(reference.asTarget()))
            }
            var known = try listedOrRetainedEntry(id, in: table)
            if known == nil { known = try memberEntry(id, in: table) }
            guard var entry = known else { throw Self.noSuchImage(id.description) }
            // Only this member of the index gets the name.
            if let manifest, blobs.contains(manifest.digest) { entry.manifest = manifest.bare }
            return try table.insert(entry.named(reference.asTarget()))
        }
    }

    /// A new entry for a member of an index.
    private func memberEntry(_ id: Digest, in table: ImageTable) throws(ShaleError) -> ImageEntry? {
        guard let (index, member) = try indexEntry(among: table.entries, where: { $0.image == id }),
            let manifest = member.manifest, let config = try ifSound(config(of: manifest))
        else { return nil }
        return ImageEntry(
            manifest: member.descriptor.bare, image: id, repoDigests: index.repoDigests, created: config.created,
            size: layers.totalSize(of: config))
    }

    /// Notes the digest under which a registry has an image after a push.
    ///
    /// Throws what writing the names throws.
    package func note(pushed pinned: Reference, of image: Digest, isPackedAtPush: Bool) throws(ShaleError) {
        guard
            try names.table().entries(of: image).contains(where: { entry in
                !entry.repoDigests.contains(pinned)
            })
        else { return }
        try names.update { $0.addRepoDigest(pinned, to: image, isPackedAtPush: isPackedAtPush) }
    }

    /// The repositories in registries that have some blobs, as far as images in the store show it; sorted.
    ///
    /// Throws what reading the names throws. A manifest that cannot be read is skipped.
    package func repositories(of wanted: Set<Digest>) throws(ShaleError) -> [Digest: [Reference]] {
        var found: [Digest: Set<Reference>] = [:]
        var seen: Set<Digest> = []
        for entry in try names.table().entries
        where !entry.repoDigests.isEmpty && seen.insert(entry.manifest.digest).inserted {
            let repositories = entry.repoDigests.map(\.repository)
            for (_, manifest) in try manifests(of: entry) {
                for blob in manifest.layers + [manifest.config] where wanted.contains(blob.digest) {
                    found[blob.digest, default: []].formUnion(repositories)
                }
            }
        }
        return found.mapValues { $0.sorted { $0.description < $1.description } }
    }

    /// Restores entries, for undo.
    ///
    /// Throws `conflict` when their content was collected, and what writing the names throws.
    package func restore(_ entries: [ImageEntry]) throws(ShaleError) {
        try names.update { table throws(ShaleError) in
            for entry in entries {
                guard blobs.contains(entry.manifest.digest) else {
                    throw ShaleError(.conflict, "image \(entry.manifest.digest): its content has been collected")
                }
                table.insert(entry)
            }
        }
    }

    static func noSuchImage(_ name: String) -> ShaleError { ShaleError(.notFound, "No such image: \(name)") }

    private func entry(of text: String, in table: ImageTable) throws(ShaleError) -> ImageEntry {
        do throws(ShaleError) {
            return try Self.entry(of: text, in: table)
        } catch {
            if error.code == .notFound, let entry = try admittedEntry(text) { return entry }
            throw error
        }
    }

    /// Finds the entry that a text names in a table, as `find` does.
    static func entry(of text: String, in table: ImageTable) throws(ShaleError) -> ImageEntry {
        switch try AnyReference(parsing: text) {
        case .digest(let id):
            if let entry = table.entries(of: id).first ?? table.entry(ofIndex: { $0 == id }) { return entry }
            throw noSuchImage(id.description)
        case .named(let name):
            if let entry = table.entry(named: name) { return entry }
            if let entry = try byPrefix(text, in: table) { return entry }
            throw noSuchImage(name.withDefaultTag.familiar)
        }
    }

    private static func byPrefix(_ text: String, in table: ImageTable) throws(ShaleError) -> ImageEntry? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard !digits.isEmpty, digits.hasOnlyLowercaseHexDigits else {
            return nil
        }
        var found: ImageEntry?
        for entry in table.entries where entry.image?.hex.hasPrefix(digits) ?? false {
            if let other = found?.image, other != entry.image {
                throw ShaleError(.conflict, "ambiguous image id: \(text) begins more than one", hint: "images -a")
            }
            found = found ?? entry
        }
        return found ?? table.entry(ofIndex: { $0.hex.hasPrefix(digits) })
    }

    // MARK: Reading

    func manifest(_ descriptor: Descriptor) throws(ShaleError) -> Manifest {
        try OCIDocument.read(
            Manifest.self, from: try blobs.bytes(descriptor.digest), naming: "manifest \(descriptor.digest)")
    }

    /// Leases an image while a command runs, and reads it.
    ///
    /// For an index this is the given member, or the noted one.
    ///
    /// Throws `notFound` when another process removed it before the lease.
    func load(
        _ entry: ImageEntry, member: IndexMember? = nil, from table: ImageTable
    ) throws(ShaleError) -> Image {
        try leases.holdInUse(([entry.image].compactMap(\.self) + [entry.manifest.digest]).map { .digest($0) })
        guard blobs.contains(entry.manifest.digest) || entry.image == nil else {
            throw Self.noSuchImage(entry.name?.familiar ?? entry.image?.description ?? "")
        }
        var chosen = member
        if chosen == nil, entry.isIndex { chosen = try noted(entry) }
        let descriptor = chosen?.descriptor.bare ?? entry.manifest
        let manifest = try manifest(descriptor)
        let id = manifest.config.digest
        try leases.holdInUse([.digest(id), .digest(descriptor.digest)])
        let config = try config(of: manifest)
        let isNoted = entry.image == nil || entry.image == id
        let same = table.entries.filter {
            isNoted ? $0.image == id : $0.manifest.digest == entry.manifest.digest
        }
        var image = Image(
            id: id, manifestDescriptor: descriptor, manifest: manifest, config: config,
            size: (isNoted ? entry.size : nil) ?? layers.totalSize(of: config),
            references: same.compactMap(\.name).sorted { $0.description < $1.description },
            repoDigests: entry.repoDigests.sorted { $0.description < $1.description },
            parent: isNoted ? entry.parent : nil)
        image.isPackedAtPush = entry.isPackedAtPush
        if member == nil, entry.isIndex { image.index = entry.manifest }
        return image
    }

    /// The member of an index that the index's entry notes.
    private func noted(_ entry: ImageEntry) throws(ShaleError) -> IndexMember {
        let members = try members(of: entry.manifest)
        if let image = entry.image, let member = members.first(where: { $0.image == image && $0.isUsable }) {
            return member
        }
        if let member = Self.choose(from: members, for: nil) { return member }
        let name = entry.name?.familiar ?? entry.manifest.digest.description
        throw ShaleError(
            .notFound, "image with reference \(name) was found but does not provide any platform",
            hint: "platforms \(name)   (what it lists, and what is here)")
    }

    /// The table with an image ID on every entry whose image is in the store.
    ///
    /// Entries of other tools get their notes here.
    private func notedTable() throws(ShaleError) -> ImageTable {
        let table = try names.table()
        guard table.entries.contains(where: { $0.image == nil }) else { return table }
        let noted = ImageTable(entries: table.entries.map { note($0) }).keepingAnnotations(of: table)
        if noted != table {
            Logger.store.attempt("note the ids of images that another tool wrote") {
                try names.update { current in
                    current = ImageTable(entries: current.entries.map { note($0) }).keepingAnnotations(of: current)
                }
            }
        }
        return noted
    }

    /// Adds notes to an entry without notes, from its manifest and config, or those of the member that a use takes.
    func note(_ entry: ImageEntry) -> ImageEntry {
        guard entry.image == nil else { return entry }
        var entry = entry
        var noted = entry.isIndex ? nil : try? manifest(entry.manifest)
        if entry.isIndex, let members = try? members(of: entry.manifest) {
            noted = Self.choose(from: members, for: nil)?.manifest
        }
        guard let noted, let config = try? config(of: noted) else { return entry }
        entry.image = noted.config.digest
        entry.created = config.created
        entry.size = layers.totalSize(of: config)
        return entry
    }
}
