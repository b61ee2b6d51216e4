package import Basics
import Glibc
import Linux
import OCI

/// One problem that the check found.
package struct Finding: Sendable, Hashable {
    /// The problem.
    ///
    /// The text begins with the object.
    package var what: String
    /// The repair that was made, or that the user can make.
    package var remedy: String
    /// Whether the problem is repaired.
    package var isRepaired: Bool
}

extension Store {
    /// Checks the digests of all blobs, all references, all records and all locks.
    ///
    /// The result is empty when the store is whole. With `repair`, removes what cannot be used, releases stale locks,
    /// and writes notes again. Missing content is reported with the command that fetches it. All bytes of the blobs are
    /// read. Throws what reading or repairing the store throws.
    package func check(
        repair: Bool = false, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> [Finding] {
        var check = StoreCheck(store: self, repair: repair, cancellation: cancellation)
        try check.run()
        return check.findings
    }
}

struct StoreCheck {
    let store: Store
    let repair: Bool
    let cancellation: Cancellation
    var findings: [Finding] = []
    private(set) var damaged: Set<Digest> = []

    init(store: Store, repair: Bool, cancellation: Cancellation) {
        self.store = store
        self.repair = repair
        self.cancellation = cancellation
    }

    mutating func run() throws(ShaleError) {
        try requireReadable()
        // Repairs move files there.
        if repair || !store.isReadOnly { try store.ingest.prepare() }
        if repair { store.ingest.sweepLeftovers() }
        // Blobs never change, so no lock is needed to read them.
        try checkBlobs()
        try checkPacked()
        try store.lock.quietly { () throws(ShaleError) in
            try checkLayout()
            try checkLayers()
            try checkIndex()
            try checkRetained()
            try checkContainers()
            try checkSessions()
            try checkProvenance()
        }
    }

    mutating func note(_ what: String, _ remedy: String, isRepaired: Bool? = nil) {
        findings.append(Finding(what: what, remedy: remedy, isRepaired: isRepaired ?? repair))
    }

    private mutating func checkBlobs() throws(ShaleError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        for name in try StoreFolder.names(store.paths.blobs) {
            try cancellation.check()
            let path = "\(store.paths.blobs)/\(name)"
            guard let digest = try? Digest(parsing: "sha256:\(name)") else {
                note("blobs/sha256/\(name): not named by a digest", "removed")
                if repair { try store.ingest.discard(path) }
                continue
            }
            let found = try hash(path, buffer)
            // A blob that another process removed meanwhile is not damaged.
            if found == digest || (found == nil && !store.blobs.contains(digest)) { continue }
            damaged.insert(digest)
            let why = found.map { "its bytes have the digest \($0)" } ?? "cannot be read"
            note("blob \(digest): \(why)", "removed; what needs it is named below")
            if repair { try store.blobs.remove(digest) }
        }
    }

    /// Checks layers that were compressed for a push.
    ///
    /// A registry refuses a layer with a wrong digest.
    private mutating func checkPacked() throws(ShaleError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        for (digest, _, _) in store.cache.all(.packed) {
            try cancellation.check()
            let path = store.cache.path(.packed, digest)
            guard let found = try hash(path, buffer), found != digest else { continue }
            note("packed layer \(digest): its bytes have the digest \(found)", "removed; a push packs it again")
            if repair { store.cache.remove(.packed, digest) }
        }
    }

    private func hash(_ path: String, _ buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Digest? {
        do throws(SystemCallError) {
            let file = try OwnedFD.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            var hasher = DigestHasher()
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { return hasher.digest() }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        } catch {
            if error.leavesUnseen { throw error.storeError(path, at: path) }
            return nil
        }
    }

    private mutating func checkLayout() throws(ShaleError) {
        let bytes = try seen(store.paths.layoutFile, limit: 4096) ?? []
        let version = (try? JSONDocument(parsing: bytes, naming: "oci-layout"))?["imageLayoutVersion"]?.string
        if version?.hasPrefix("1.") ?? false { return }
        note("oci-layout: does not say version 1", "written anew")
        if repair {
            try store.replace(store.paths.layoutFile, with: StoreLayout.words)
        }
    }

    private mutating func checkLayers() throws(ShaleError) {
        for name in try StoreFolder.names(store.paths.layers) {
            let path = "\(store.paths.layers)/\(name)"
            let isNamed = (try? Digest(parsing: "sha256:\(name.prefix { $0 != "@" })")) != nil
            let isWhole =
                isNamed && (try? FileStatus.of(hostPath: path + "/fs"))?.kind == .directory
                && access(path + "/index", R_OK) == 0 && store.layers.size(named: name) != nil
            if isWhole { continue }
            note("layer \(name): half-made", "removed; it is unpacked again when an image needs it")
            if repair, let place = try store.ingest.moveAway(path) { try store.ingest.removeMoved(place) }
        }
    }

    // MARK: Names and images

    private mutating func checkIndex() throws(ShaleError) {
        let table: ImageTable
        do throws(ShaleError) {
            table = try store.names.table()
        } catch {
            try rebuildIndex(error)
            return
        }
        var mended = ImageTable()
        for entry in table.entries {
            if let entry = checked(entry) { mended.append(entry) }
        }
        if repair, mended.entries != table.entries { try store.names.write(mended.keepingAnnotations(of: table)) }
    }

    /// Checks the retained images.
    ///
    /// Entries of damaged images are removed.
    private mutating func checkRetained() throws(ShaleError) {
        let table: ImageTable
        do throws(ShaleError) {
            table = try store.images.retained.table()
        } catch {
            if error.leavesUnseen { throw error }
            note(error.description, "kept as held.json.damaged; removed images cannot be brought back")
            if repair { try keepDamaged(store.paths.retained) }
            return
        }
        var sound: [ImageEntry] = []
        for entry in table.entries {
            if let image = entry.image, isPresent(image), isPresent(entry.manifest.digest) {
                sound.append(entry)
            } else {
                note(
                    "image \(entry.image?.short ?? entry.manifest.digest.short), held for undo: it is missing",
                    "let go of")
            }
        }
        if repair, sound.count < table.entries.count { try store.images.retained.write(ImageTable(entries: sound)) }
    }

    /// The correct entry of an image; `nil` when it cannot be used.
    private mutating func checked(_ entry: ImageEntry) -> ImageEntry? {
        let name = entry.name?.familiar ?? "image \(entry.image?.short ?? entry.manifest.digest.short)"
        if entry.isIndex { return checkedIndex(entry, name) }
        guard isPresent(entry.manifest.digest), let manifest = try? store.images.manifest(entry.manifest) else {
            note("\(name): its manifest \(entry.manifest.digest) is missing or damaged", lost(entry))
            return nil
        }
        guard isPresent(manifest.config.digest), let bytes = try? store.blobs.bytes(manifest.config.digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        else {
            if !MediaType.isConfig(manifest.config.mediaType) { return entry }
            note("\(name): its config \(manifest.config.digest) is missing or damaged", lost(entry))
            return nil
        }
        checkLayers(of: name, manifest, config, remedy: again(entry))
        if let noted = entry.image, noted != manifest.config.digest {
            note("\(name): noted as image \(noted.short), but it is \(manifest.config.digest.short)", "noted anew")
            var mended = entry
            mended.image = manifest.config.digest
            mended.created = config.created
            return mended
        }
        return entry
    }

    mutating func checkLayers(
        of name: String, _ manifest: Manifest, _ config: ImageConfig, remedy: String
    ) {
        let stack = LayerStore.stack(of: config)
        for (position, layer) in manifest.layers.enumerated()
        where !isPresent(layer.digest) && !MediaType.isForeignLayer(layer.mediaType) {
            let isUnpacked =
                position < stack.count && store.layers.has(stack[position].diffID, on: stack[position].parentChain)
            note(
                "\(name): layer \(position + 1) (blob \(layer.digest)) is missing or damaged"
                    + (isUnpacked ? "; the image still runs, and cannot be saved or pushed" : ""),
                remedy, isRepaired: false)
        }
    }

    func isPresent(_ digest: Digest) -> Bool { !damaged.contains(digest) && store.blobs.contains(digest) }

    func lost(_ entry: ImageEntry) -> String { "taken out of the index; \(again(entry))" }

    func again(_ entry: ImageEntry) -> String {
        (entry.name ?? entry.repoDigests.first).map { "pull \($0.familiar)" } ?? "build it again, or rmi it"
    }

    /// Makes `index.json` again.
    ///
    /// The names are lost; the images are found by their manifests and have no names.
    private mutating func rebuildIndex(_ error: ShaleError) throws(ShaleError) {
        if error.leavesUnseen { throw error }
        let isThere = (try? FileStatus.of(hostPath: store.paths.index)) != nil
        note(
            error.description,
            "\(isThere ? "kept as index.json.damaged" : "made anew"); images are kept without names")
        guard repair else { return }
        let table = try foundImages()
        if isThere { try keepDamaged(store.paths.index) }
        try store.names.write(table)
    }

    /// Renames a damaged file, so that it is kept.
    private func keepDamaged(_ path: String) throws(ShaleError) {
        guard rename(path, path + ".damaged") == 0 else {
            throw SystemCallError("rename", path: path).storeError(path, at: path)
        }
    }

    // MARK: Containers and sessions

    private mutating func checkContainers() throws(ShaleError) {
        // No process uses these files: making or renaming a container needs the lock, which is held here.
        _ = try store.containers.sweepHalfMade(dryRun: false)
        for id in try store.containers.identifiers() {
            let record: ContainerRecord
            do throws(ShaleError) {
                record = try store.containers.read(id)
            } catch {
                if error.code == .notFound { continue }
                if error.leavesUnseen { throw error }
                note(error.description, "rm -f \(Identifier.short(id))", isRepaired: false)
                continue
            }
            let isNamed = store.containers.isNamed(record)
            let stands = stands(record)
            // Removing a container needs no lock. A container that is gone now was whole.
            guard !isNamed || !stands, access(store.containers.folder(id).config, F_OK) == 0 else { continue }
            if !isNamed {
                note("container \(Identifier.short(id)): its name \(record.name) leads elsewhere", "named again")
                if repair { mendName(record) }
            }
            if !stands {
                note(
                    "container \(record.name): its image \(record.image.short) is missing or damaged",
                    "pull \(record.imageName), or rm \(record.name)", isRepaired: false)
            }
        }
    }

    /// Whether a container's manifest and config are in the store, and each layer is unpacked or can be unpacked.
    private func stands(_ record: ContainerRecord) -> Bool {
        guard isPresent(record.manifest.digest), let manifest = try? store.images.manifest(record.manifest),
            isPresent(manifest.config.digest), let bytes = try? store.blobs.bytes(manifest.config.digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        else { return false }
        return store.layers.missing(for: config).allSatisfy { position in
            position < manifest.layers.count && isPresent(manifest.layers[position].digest)
        }
    }

    private mutating func mendName(_ record: ContainerRecord) {
        do throws(ShaleError) {
            try store.containers.mendName(record)
        } catch {
            note(error.description, "rename \(Identifier.short(record.id))", isRepaired: false)
        }
    }

    private mutating func checkSessions() throws(ShaleError) {
        for name in try store.sessionNames() {
            let session = try store.session(name)
            try checkRoots(session)
            guard let bytes = try session.read("journal", limit: 1 << 30), let last = bytes.last,
                last != UInt8(ascii: "\n")
            else { continue }
            note(
                "session \(name): its journal ends in half a line", "cut off when the next is written", isRepaired: true
            )
        }
    }

    /// What a damaged line kept is not known; the other lines stay, and the file is kept under another name.
    private mutating func checkRoots(_ session: SessionFolder) throws(ShaleError) {
        guard let bytes = try seen(session.rootsFile) else { return }
        let found = SessionRoots.read(bytes)
        guard found.damagedLines > 0 else { return }
        note(
            "session \(session.name): \(found.damagedLines) damaged lines in the list of what it keeps",
            "the other lines are kept; an undo may miss an image")
        guard repair else { return }
        try session.repairRoots()
    }
}

extension Store {
    func replace(_ path: String, with text: String) throws(ShaleError) {
        do throws(SystemCallError) {
            try WholeFile.replace(path, with: Array(text.utf8))
        } catch {
            throw error.shaleError(path)
        }
    }
}
