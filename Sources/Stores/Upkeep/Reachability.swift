import Basics
import Linux
import OCI

/// All content that names, images without a name, containers and sessions need: the mark phase of mark and sweep.
struct Reachability {
    private(set) var blobs: Set<Digest> = []
    /// Names of folders in `layers/`.
    private(set) var layers: Set<String> = []
    private let store: Store
    /// Manifests of images that have an entry, by their configs.
    private var known: [Digest: [Digest]] = [:]
    private var manifestsByConfig: [Digest: [Digest]]?

    init(_ store: Store) { self.store = store }

    /// Marks everything that the store must keep.
    ///
    /// Called under the store's lock. Throws `corrupt` when a document cannot be read. What this document needs is then
    /// unknown, so nothing may be removed.
    static func of(_ store: Store, table: ImageTable) throws(ShaleError) -> Reachability {
        try of(store, table: table, sessions: store.sessionRoots())
    }

    /// Does the same with other roots than those of the sessions.
    static func of(
        _ store: Store, table: ImageTable, sessions roots: SessionRoots
    ) throws(ShaleError) -> Reachability {
        var marks = Reachability(store)
        let retained = try store.images.retained.table()
        for entry in table.entries + retained.entries {
            if let image = entry.image { marks.known[image, default: []].append(entry.manifest.digest) }
        }
        for entry in table.entries { try marks.manifest(entry.manifest.digest, what: entry.refName) }
        for id in try store.containers.identifiers() { try marks.container(id) }
        for id in roots.containers {
            if let record = try store.containers.trashRecord(id) {
                for event in try store.containers.readEvents(in: store.containers.trashFolder(id)) {
                    marks.blobs.formUnion(event.payload ?? [])
                }
                try marks.manifest(record.manifest.digest, what: record.name)
            }
        }
        for root in roots.digests.sorted() { try marks.root(root) }
        return marks
    }

    /// Marks a manifest with its config and layers, or an index with those of its manifests that are in the store.
    mutating func manifest(_ digest: Digest, what: String?) throws(ShaleError) {
        guard blobs.insert(digest).inserted, store.blobs.contains(digest) else { return }
        try document(try read(digest, what), digest)
    }

    private mutating func container(_ id: String) throws(ShaleError) {
        do throws(ShaleError) {
            let record = try store.containers.read(id)
            try manifest(record.manifest.digest, what: record.name)
            for event in try store.containers.readEvents(in: store.containers.folder(id)) {
                blobs.formUnion(event.payload ?? [])
            }
        } catch {
            // The container is not complete yet and has no image.
            if error.code == .notFound { return }
            if error.leavesUnseen { throw error }
            throw ShaleError(
                .corrupt, error.message, cause: error.cause, hint: "rm -f \(Identifier.short(id))")
        }
    }

    /// Marks a root of a session: a manifest, an image ID, a blob or the diff ID of a layer.
    private mutating func root(_ digest: Digest) throws(ShaleError) {
        layers.insert(digest.hex)
        if let manifests = known[digest] {
            for manifest in manifests { try self.manifest(manifest, what: nil) }
            return
        }
        guard store.blobs.contains(digest), blobs.insert(digest).inserted else { return }
        guard try store.blobs.size(digest) <= Int64(OCIDocument.largest),
            let bytes = try ifSound(store.blobs.bytes(digest)), bytes.first == UInt8(ascii: "{"),
            let json = try? JSONDocument(parsing: bytes, naming: "blob")
        else { return }
        try document(json, digest)
    }

    private mutating func document(_ json: JSONDocument, _ digest: Digest) throws(ShaleError) {
        if let entries = json["manifests"]?.array {
            for entry in entries {
                guard let text = entry["digest"]?.string, let below = try? Digest(parsing: text) else { continue }
                try manifest(below, what: nil)
            }
        } else if json["layers"] != nil, json["config"] != nil {
            let manifest = try Manifest(DocumentReader(json, path: "manifest \(digest)"))
            blobs.formUnion(manifest.layers.map(\.digest))
            if blobs.insert(manifest.config.digest).inserted { try config(manifest.config.digest) }
        } else if json["rootfs"] != nil {
            try config(digest)
            for manifest in try manifests(of: digest) { try self.manifest(manifest, what: nil) }
        }
    }

    private mutating func config(_ digest: Digest) throws(ShaleError) {
        guard store.blobs.contains(digest), let json = try seen(digest), json["rootfs"] != nil else { return }
        let config = try ImageConfig(DocumentReader(json, path: "config \(digest)"))
        blobs.formUnion(try store.keptFiles(of: digest))
        for layer in LayerStore.stack(of: config) {
            layers.insert(LayerStore.name(layer.diffID, on: nil))
            if let below = layer.parentChain { layers.insert(LayerStore.name(layer.diffID, on: below)) }
        }
    }

    /// The document of a config; `nil` for a blob that is no config.
    private func seen(_ digest: Digest) throws(ShaleError) -> JSONDocument? {
        do throws(ShaleError) {
            return try read(digest, nil)
        } catch {
            if error.leavesUnseen { throw error }
            return nil
        }
    }

    private func read(_ digest: Digest, _ what: String?) throws(ShaleError) -> JSONDocument {
        do throws(ShaleError) {
            return try JSONDocument(parsing: try store.blobs.bytes(digest), naming: "blob \(digest)")
        } catch {
            if error.leavesUnseen { throw error }
            throw ShaleError(
                .corrupt, "image \(what ?? digest.short): cannot be read, so nothing can be collected safely",
                cause: error.description, hint: "system check --repair")
        }
    }

    /// The manifests of a config that has no entry any more.
    ///
    /// All small blobs are read for this, once.
    ///
    /// Throws the error of a blob that cannot be read: its image must not count as unused.
    private mutating func manifests(of config: Digest) throws(ShaleError) -> [Digest] {
        if let known = manifestsByConfig { return known[config] ?? [] }
        var found: [Digest: [Digest]] = [:]
        for digest in try store.blobs.all() {
            guard let size = try ifSound(store.blobs.size(digest)), size <= 1 << 20,
                let bytes = try ifSound(store.blobs.bytes(digest)), bytes.first == UInt8(ascii: "{"),
                let manifest = try? OCIDocument.read(Manifest.self, from: bytes, naming: "blob")
            else { continue }
            found[manifest.config.digest, default: []].append(digest)
        }
        manifestsByConfig = found
        return found[config] ?? []
    }
}
