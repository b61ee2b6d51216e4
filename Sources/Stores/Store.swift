package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import OCI

/// Everything shale keeps below one home folder: an OCI image layout, with unpacked layers, containers and sessions.
///
/// Any number of processes may share a home. Names change last and by rename; locks are `flock`s that are kept only for
/// a short time. Opening a home that exists takes a few system calls.
package final class Store: Sendable {
    package let home: String
    /// How unpacked layers write their whiteouts.
    package let form: OverlayForm
    /// Whether this process made the home.
    package let isNew: Bool
    /// Whether other users could read the home until now, as older shales left it.
    package let wasClosed: Bool
    /// Whether the home can be looked at and not written to: whoever wants to write is refused with one error.
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
    /// What happened here, for `events`.
    package let events: EventLog
    /// Stamps changes with the line that makes them.
    package let writeAhead: WriteAhead
    /// What this process makes or uses at this moment.
    package let leases: Leases
    let ingest: IngestFolder

    /// Refuses a folder that all users share as a home, before anything is made in it.
    ///
    /// - Throws: `invalid`.
    package static func refuseShared(home: String) throws(ShaleError) { try StoreLayout.refuseShared(home) }

    /// Opens the store at an absolute path, making it on first use, and sweeps what dead processes left.
    ///
    /// A home that cannot be written to is only looked at. Throws `denied` where one cannot be made, `noSpace` on a
    /// full disk, `invalid` for a folder that holds something else.
    ///
    /// `journalHolds` reads journals, which are the sessions' own; without it no change counts as written there, and
    /// its stamp stays.
    package init(
        home: String, form: OverlayForm, journalHolds: @escaping JournalSearch = { _, _ in false }
    ) throws(ShaleError) {
        let paths = StorePaths(home: home)
        let state = try StoreLayout.prepare(paths)
        isNew = state.isNew
        wasClosed = state.wasClosed
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
            // A process died: containers may be half-made. An error of this sweep is ignored: the next use reports it.
            _ = Logger.store.attempt("sweep half-made containers") {
                try lock.exclusively { () throws(ShaleError) in try containers.sweepHalfMade(dryRun: false) }
            }
        }
        layers.syncing.syncIfDue(ingest)
    }

    /// The lock of the whole store, which is held only for a short time.
    var lock: StoreLock { names.lock }

    /// Throws `denied` for a home that cannot be written to.
    package func requireWritable() throws(ShaleError) { try lock.requireWritable() }

    /// The folder of one session, made on first use.
    ///
    /// Throws `invalid` when the name cannot be a session's, and what making the folder throws.
    package func session(_ name: String) throws(ShaleError) -> SessionFolder {
        try SessionFolder(parent: paths.sessions, name: name, lock: lock)
    }

    /// A path for something needed only while this process works; swept when it dies without removing it.
    ///
    /// Throws what making the folder for it throws.
    package func newScratchPath() throws(ShaleError) -> String { try ingest.newPath("scratch") }

    /// Blobs that the record of how an image was made needs: a digest a line, beside that record.
    ///
    /// Throws `corrupt` for a list that is there and cannot be read whole: what it names is not known then.
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

    /// The names of the sessions there are, sorted.
    ///
    /// Throws what reading the sessions' folder throws.
    package func sessionNames() throws(ShaleError) -> [String] {
        try SessionFolder.names(in: paths.sessions)
    }

    /// What all sessions together can come back to.
    ///
    /// Throws what reading the sessions' files throws.
    package func sessionRoots() throws(ShaleError) -> SessionRoots {
        var roots = SessionRoots()
        for name in try sessionNames() { roots.formUnion(try session(name).roots()) }
        return roots
    }

    /// Removes this process's folder in `ingest`; when a process dies before that, the next one removes it.
    package func close() {
        ingest.close()
        leases.close()
    }

    /// What may be collected, because nobody has a lease on it.
    ///
    /// Throws what opening the file of leases throws.
    package func exclusion() throws(ShaleError) -> Exclusion { try Exclusion(paths: paths) }

    /// Leases an image with its manifest and config, while a use is under way.
    ///
    /// Throws what locking the file of leases throws.
    package func hold(_ image: Image) throws(ShaleError) {
        try hold(image.config, blobs: image.manifest.layers + [image.manifest.config, image.manifestDescriptor])
    }

    /// Leases all that an image consists of, while a use is under way.
    ///
    /// Throws what locking the file of leases throws.
    package func hold(_ config: ImageConfig, blobs: [Descriptor]) throws(ShaleError) {
        try leases.holdInUse((config.rootfs.diffIDs + blobs.map(\.digest)).map { .digest($0) })
    }
}

/// The store's one lock: a `flock` that dies with its holder.
package struct StoreLock: Sendable {
    let path: String
    /// Why nothing can be written to the home.
    var unwritable: ShaleError?

    /// Throws where nothing can be written.
    func requireWritable() throws(ShaleError) {
        if let unwritable { throw unwritable }
    }

    /// Runs `body`, which writes, alone among all processes and threads of this home.
    ///
    /// Not reentrant. Never keep the lock during a network request. Throws what taking the lock throws, also where the
    /// home cannot be written to, and what `body` throws.
    package func exclusively<Result>(_ body: () throws(ShaleError) -> Result) throws(ShaleError) -> Result {
        try requireWritable()
        return try quietly(body)
    }

    /// The same for a `body` that only looks, and wants nobody to write meanwhile.
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
