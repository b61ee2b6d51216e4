package import Basics
import Diagnostics
import Linux
import Logging
package import OCI
import Synchronization

/// Images as docker has them, over the layout's blobs and names.
package final class ImageStore: Sendable {
    let blobs: BlobStore
    let names: NameStore
    /// Images that only sessions can bring back.
    let retained: NameStore
    let layers: LayerStore
    let lock: StoreLock
    let leases: Leases
    /// Retained images that a session named in this process, which may be used like any other.
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

    /// All images, newest first; nameless build steps only when asked for.
    ///
    /// Reads `index.json` alone. Throws what reading the names throws.
    package func all(includingIntermediate: Bool = false) throws(ShaleError) -> [ImageSummary] {
        let summaries = ImageSummary.all(in: try notedTable())
        return (includingIntermediate ? summaries : summaries.filter { !$0.isIntermediate })
            .sorted { ($0.created ?? .epoch, $0.id.hex) > ($1.created ?? .epoch, $1.id.hex) }
    }

    /// The image with that id, also one that only a session holds; `notFound` in docker's words.
    ///
    /// Throws `notFound` when there is no such image, and what reading its manifest or config throws.
    package func image(_ id: Digest) throws(ShaleError) -> Image {
        let table = try notedTable()
        guard let entry = try listedOrRetainedEntry(id, in: table) else {
            throw Self.noSuchImage(id.description)
        }
        return try load(entry, id: id, from: table)
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

    /// The image a container or session keeps by its manifest, named or not.
    ///
    /// Throws `notFound` when the manifest or the config is not in the store, and what reading them throws.
    package func image(manifest descriptor: Descriptor) throws(ShaleError) -> Image {
        let table = try notedTable()
        if let entry = table.entries.first(where: { $0.manifest.digest == descriptor.digest }), let id = entry.image {
            return try load(entry, id: id, from: table)
        }
        let entry = ImageEntry(manifest: descriptor, image: nil)
        return try load(entry, id: try manifest(descriptor).config.digest, from: table)
    }

    /// The image a text names: `name[:tag]`, `name@digest`, an id, or the beginning of one that fits no other.
    ///
    /// Docker's order: a name goes before an id. Throws `notFound` (`No such image: x:latest`), `invalid` for a
    /// malformed name, `conflict` for an ambiguous beginning.
    package func find(_ text: String) throws(ShaleError) -> Image {
        let table = try notedTable()
        let entry = try entry(of: text, in: table)
        return try load(entry, id: entry.image ?? entry.manifest.digest, from: table)
    }

    /// Whether a text is the whole name or the whole id of an image here.
    func isWholeName(_ text: String) -> Bool {
        guard let table = try? notedTable(), let wanted = try? AnyReference(parsing: text) else { return false }
        switch wanted {
        case .digest(let id): return !table.entries(of: id).isEmpty
        case .named(let name): return table.entry(named: name) != nil
        }
    }

    /// The id alone of what a text names; reads `index.json` only.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when an id prefix is ambiguous, and `invalid` when the
    /// text cannot be a reference.
    package func id(of text: String) throws(ShaleError) -> Digest {
        let entry = try entry(of: text, in: try notedTable())
        return entry.image ?? entry.manifest.digest
    }

    /// The images directly built on one.
    ///
    /// Throws what reading the names throws.
    package func children(of id: Digest) throws(ShaleError) -> [Digest] {
        Array(Set(try notedTable().entries.compactMap { $0.parent == id ? $0.image : nil })).sorted()
    }

    /// Gives an image a name more; returns the entry that had it before, if that was another image's.
    ///
    /// Throws `notFound` when there is no such image, `invalid` when the reference cannot be a tag's name, and what
    /// writing the names throws.
    @discardableResult
    package func tag(_ id: Digest, as reference: Reference) throws(ShaleError) -> ImageEntry? {
        try names.update { table throws(ShaleError) in
            guard let entry = try listedOrRetainedEntry(id, in: table) else {
                throw Self.noSuchImage(id.description)
            }
            return try table.insert(entry.named(reference.asTarget()))
        }
    }

    /// Notes under which digest a registry has an image since it was pushed there.
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

    /// The repositories of registries that have some blobs, as far as their images are here; sorted.
    ///
    /// Throws what reading the names throws; a manifest that cannot be read tells nothing.
    package func repositories(of wanted: Set<Digest>) throws(ShaleError) -> [Digest: [Reference]] {
        var found: [Digest: Set<Reference>] = [:]
        var seen: Set<Digest> = []
        for entry in try names.table().entries
        where !entry.repoDigests.isEmpty && seen.insert(entry.manifest.digest).inserted {
            guard let manifest = try? manifest(entry.manifest) else { continue }
            let repositories = entry.repoDigests.map(\.repository)
            for blob in manifest.layers + [manifest.config] where wanted.contains(blob.digest) {
                found[blob.digest, default: []].formUnion(repositories)
            }
        }
        return found.mapValues { $0.sorted { $0.description < $1.description } }
    }

    /// Puts entries back as they were, for undo; `conflict` when their content is gone.
    ///
    /// Throws `conflict` in that case, and what writing the names throws.
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

    /// Resolves a text against a table, as `find` does.
    static func entry(of text: String, in table: ImageTable) throws(ShaleError) -> ImageEntry {
        switch try AnyReference(parsing: text) {
        case .digest(let id):
            if let entry = table.entries(of: id).first { return entry }
            throw noSuchImage(id.description)
        case .named(let name):
            if let entry = table.entry(named: name) { return entry }
            if let entry = try byPrefix(text, in: table) { return entry }
            throw noSuchImage(name.withDefaultTag.familiar)
        }
    }

    private static func byPrefix(_ text: String, in table: ImageTable) throws(ShaleError) -> ImageEntry? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            return nil
        }
        var found: ImageEntry?
        for entry in table.entries where entry.image?.hex.hasPrefix(digits) ?? false {
            if let other = found?.image, other != entry.image {
                throw ShaleError(.conflict, "ambiguous image id: \(text) begins more than one", hint: "images -a")
            }
            found = found ?? entry
        }
        return found
    }

    // MARK: Reading

    func manifest(_ descriptor: Descriptor) throws(ShaleError) -> Manifest {
        try OCIDocument.read(
            Manifest.self, from: try blobs.bytes(descriptor.digest), naming: "manifest \(descriptor.digest)")
    }

    /// Leases an image, while a use is under way, and reads it.
    ///
    /// Throws `notFound` when another shale removed it between the look at the table and the lease.
    private func load(_ entry: ImageEntry, id: Digest, from table: ImageTable) throws(ShaleError) -> Image {
        try leases.holdInUse([.digest(id), .digest(entry.manifest.digest)])
        guard blobs.contains(entry.manifest.digest) || entry.image == nil else {
            throw Self.noSuchImage(entry.name?.familiar ?? id.description)
        }
        let manifest = try manifest(entry.manifest)
        let config = try OCIDocument.read(
            ImageConfig.self, from: try blobs.bytes(manifest.config.digest), naming: "config \(manifest.config.digest)")
        let same = table.entries(of: id)
        var image = Image(
            id: manifest.config.digest, manifestDescriptor: entry.manifest, manifest: manifest, config: config,
            size: entry.size ?? layers.totalSize(of: config),
            references: same.compactMap(\.name).sorted { $0.description < $1.description },
            repoDigests: entry.repoDigests.sorted { $0.description < $1.description }, parent: entry.parent)
        image.isPackedAtPush = entry.isPackedAtPush
        return image
    }

    /// The table with a noted id on every entry whose image is here; entries of other tools get their notes at this
    /// moment.
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

    /// Reads manifest and config of an entry without notes; of an index the host's manifest counts.
    private func note(_ entry: ImageEntry) -> ImageEntry {
        guard entry.image == nil else { return entry }
        var entry = entry
        if MediaType.isIndex(entry.manifest.mediaType),
            let bytes = try? blobs.bytes(entry.manifest.digest),
            let index = try? OCIDocument.read(Index.self, from: bytes, naming: "index"),
            let chosen = index.manifest(for: .host)
        {
            entry.manifest = chosen
        }
        guard let manifest = try? manifest(entry.manifest), let bytes = try? blobs.bytes(manifest.config.digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        else { return entry }
        entry.image = manifest.config.digest
        entry.created = config.created
        entry.size = layers.totalSize(of: config)
        return entry
    }
}
