package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import OCI

/// Everything that shale stores below a home: an OCI image layout, with unpacked layers, containers and sessions.
///
/// Any number of processes may share a home. Names change last and by rename; locks are `flock`s that are held only for
/// a
/// short time. Opening an existing home takes a few system calls.
package final class Store: Sendable {
    package let home: String
    /// How unpacked layers represent whiteouts.
    package let form: OverlayForm
    /// Whether this process created the home.
    package let isNew: Bool
    /// Whether other users could read the home until now; an earlier version of shale left it so.
    package let wasClosed: Bool
    /// A folder of the home that other users can enter, which could not be closed; `nil` for none.
    package let openToOthers: String?
    /// Whether the home can be read but not written.
    ///
    /// Every write then throws the same error.
    package var isReadOnly: Bool { lock.unwritable != nil }
    package let paths: StorePaths
    package let blobs: BlobStore
    package let names: NameStore
    package let layers: LayerStore
    package let images: ImageStore
    package let containers: ContainerStore
    package let volumes: VolumeStore
    package let manifestLists: ManifestListStore
    package let cache: CacheStore
    /// The log of events, for `events`.
    package let events: EventLog
    /// Stamps changes with the line that makes them.
    package let writeAhead: WriteAhead
    /// The things that this process makes or uses now.
    package let leases: Leases
    let ingest: IngestFolder

    /// Refuses a folder that all users share, before anything is created in it.
    ///
    /// - Throws: `invalid`.
    package static func refuseShared(home: String) throws(ShaleError) { try StoreLayout.refuseShared(home) }

    /// Opens the store at an absolute path, creates it when missing, and removes leftovers of dead processes.
    ///
    /// A home that cannot be written to is opened for reading. Throws `denied` when a home cannot be created, `noSpace`
    /// on a
    /// full disk, `invalid` for a folder that is no home.
    ///
    /// `journalHolds` searches the sessions' journals. Without it no stamped change counts as recorded, so its stamp
    /// stays.
    package init(
        home: String, form: OverlayForm, journalHolds: @escaping JournalSearch = { _, _ in false }
    ) throws(ShaleError) {
        let paths = StorePaths(home: home)
        let state = try StoreLayout.prepare(paths)
        isNew = state.isNew
        wasClosed = state.privacy == .closed
        openToOthers = if case .staysOpen(let folder) = state.privacy { folder } else { nil }
        self.home = home
        self.form = form
        self.paths = paths
        let lock = StoreLock(path: paths.lock, unwritable: state.unwritable)
        let ingest = IngestFolder(paths: paths, lock: lock)
        let leases = Leases(paths: paths, lock: lock)
        let blobs = BlobStore(paths: paths, ingest: ingest, leases: leases)
        let writeAhead = WriteAhead(paths: paths, ingest: ingest, journalHolds: journalHolds)
        let events = EventLog(home: home)
        let names = NameStore(path: paths.index, lock: lock, writeAhead: writeAhead, events: events)
        let retained = NameStore(path: paths.retained, lock: lock, mayBeMissing: true)
        let layers = LayerStore(paths: paths, ingest: ingest, leases: leases, lock: lock)
        self.events = events
        self.ingest = ingest
        self.leases = leases
        self.writeAhead = writeAhead
        self.blobs = blobs
        self.names = names
        self.layers = layers
        images = ImageStore(
            blobs: blobs, names: names, retained: retained, layers: layers, lock: lock, leases: leases)
        containers = ContainerStore(
            paths: paths, ingest: ingest, leases: leases, lock: lock, writeAhead: writeAhead, events: events)
        volumes = VolumeStore(
            paths: paths, containers: containers, ingest: ingest, lock: lock, events: events)
        manifestLists = ManifestListStore(paths: paths, lock: lock)
        cache = CacheStore(folder: paths.cache, ingest: ingest)
        if lock.unwritable != nil { return }
        if ingest.sweepLeftovers() {
            // A process died, so containers may be incomplete. An error here is only logged: the next use reports it.
            _ = Logger.store.attempt("sweep half-made containers") {
                try lock.exclusively { () throws(ShaleError) in try containers.sweepHalfMade(dryRun: false) }
            }
        }
        layers.syncing.syncIfDue(ingest)
    }

    /// The lock of the store, which is held only for a short time.
    var lock: StoreLock { names.lock }

    /// Throws `denied` for a home that cannot be written to.
    package func requireWritable() throws(ShaleError) { try lock.requireWritable() }

    /// The folder of a session, created when missing.
    ///
    /// Throws `invalid` when the name cannot be a session's, and what making the folder throws.
    package func session(_ name: String) throws(ShaleError) -> SessionFolder {
        try SessionFolder(parent: paths.sessions, name: name, lock: lock)
    }

    /// A path for temporary files of this process.
    ///
    /// It is swept when the process dies.
    ///
    /// Throws what making the folder for it throws.
    package func newScratchPath() throws(ShaleError) -> String { try ingest.newPath("scratch") }

    /// The blobs that an image's provenance needs, from the list beside the provenance.
    ///
    /// Throws `corrupt` for a list that cannot be read completely.
    func keptFiles(of image: Digest) throws(ShaleError) -> [Digest] {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(paths.keptFiles(of: image))
        } catch {
            if error.errno == ENOENT { return [] }
            throw error.storeError("files of image \(image.short)", at: paths.keptFiles(of: image))
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        let digests = lines.compactMap { try? Digest(parsing: String(decoding: $0, as: UTF8.self)) }
        guard bytes.last == UInt8(ascii: "\n"), digests.count == lines.count else {
            throw ShaleError(
                .corrupt, "the list of files that the recipe of image \(image.short) needs is damaged",
                hint: "system check --repair")
        }
        return digests
    }

    /// The names of all sessions, sorted.
    ///
    /// Throws what reading the sessions' folder throws.
    package func sessionNames() throws(ShaleError) -> [String] {
        try SessionFolder.names(in: paths.sessions)
    }

    /// What all sessions together can restore.
    ///
    /// Throws what reading the sessions' files throws.
    package func sessionRoots() throws(ShaleError) -> SessionRoots {
        var roots = SessionRoots()
        for name in try sessionNames() { roots.formUnion(try session(name).roots()) }
        return roots
    }

    /// Removes this process's folder in `ingest`.
    ///
    /// When the process dies before, the next process removes it.
    package func close() {
        ingest.close()
        leases.close()
    }

    /// An exclusion, for claiming things that nobody has leased.
    ///
    /// Throws what opening the file of leases throws.
    package func exclusion() throws(ShaleError) -> Exclusion { try Exclusion(paths: paths) }

    /// Leases an image with its layers, manifest and config, during a use.
    ///
    /// Throws what locking the file of leases throws.
    package func hold(_ image: Image) throws(ShaleError) {
        try hold(image.config, blobs: image.manifest.layers + [image.manifest.config, image.manifestDescriptor])
    }

    /// Leases all parts of an image, during a use.
    ///
    /// Throws what locking the file of leases throws.
    package func hold(_ config: ImageConfig, blobs: [Descriptor]) throws(ShaleError) {
        try leases.holdInUse((config.rootfs.diffIDs + blobs.map(\.digest)).map { .digest($0) })
    }
}

/// The lock of the store: a `flock` that the kernel releases when its holder ends.
package struct StoreLock: Sendable {
    let path: String
    /// The error for writes when the home cannot be written to; `nil` when it can.
    var unwritable: ShaleError?

    /// Throws when the home cannot be written to.
    func requireWritable() throws(ShaleError) {
        if let unwritable { throw unwritable }
    }

    /// Runs `body`, which writes, while no other process or thread has the lock.
    ///
    /// Not reentrant. The lock must not be held during a network request. Throws what taking the lock throws, also when
    /// the
    /// home cannot be written to, and what `body` throws.
    package func exclusively<Result>(_ body: () throws(ShaleError) -> Result) throws(ShaleError) -> Result {
        try requireWritable()
        return try quietly(body)
    }

    /// Runs `body`, which only reads, while nobody can write.
    func quietly<Result>(_ body: () throws(ShaleError) -> Result) throws(ShaleError) -> Result {
        let held = try take()
        let result = try body()
        // The lock ends when its value goes out of scope: after the body, also when that throws.
        withExtendedLifetime(held) {}
        return result
    }

    private func take() throws(ShaleError) -> FileLock {
        do throws(SystemCallError) {
            return try FileLock.waiting(on: path, exclusive: true)
        } catch {
            throw error.shaleError("store lock")
        }
    }
}
