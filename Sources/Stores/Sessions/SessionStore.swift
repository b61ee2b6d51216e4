package import Basics
import Diagnostics
import Logging
package import OCI

/// What a home keeps for sessions: their folders, the lines under way in them, and the blobs of archives.
package struct SessionStore: Sendable {
    private let store: Store

    package init(_ store: Store) { self.store = store }

    // MARK: Folders

    /// The names of the sessions there are, sorted.
    ///
    /// Throws what reading the sessions' folder throws.
    package func names() throws(ShaleError) -> [String] { try store.sessionNames() }

    /// The folder of a session, made on first use.
    ///
    /// Throws `invalid` when the name cannot be a session's, and what making the folder throws.
    package func folder(of name: String) throws(ShaleError) -> SessionFolder { try store.session(name) }

    /// Where the folder of a session lies, whether there is one or not.
    package func path(of name: String) -> String { "\(store.paths.sessions)/\(name)" }

    /// What all sessions together can come back to.
    ///
    /// Throws what reading the sessions' files throws.
    package func roots() throws(ShaleError) -> SessionRoots { try store.sessionRoots() }

    /// Throws `denied` for a home that cannot be written to.
    package func requireWritable() throws(ShaleError) { try store.requireWritable() }

    /// A path for a temporary folder that is then renamed, so that a folder is made or removed in one step.
    ///
    /// Throws what making the folder for it throws.
    package func newScratchPath() throws(ShaleError) -> String { try store.newScratchPath() }

    /// Forgets which lines of a session made changes that no journal has yet.
    ///
    /// Throws what writing the names throws.
    package func forgetLines(of name: String) throws(ShaleError) { try store.forgetLines(of: name) }

    // MARK: The line under way in this process

    /// Leases what is found, made or asked for until the value goes.
    package func beginUse() -> LeaseUse { store.leases.beginUse() }

    /// Says which line is being carried out; `nil` when no line makes the changes.
    package func begin(_ line: LineUnderWay?) { store.writeAhead.begin(line) }

    /// The token of what was stamped since this was last asked; `nil` where nothing was.
    package func takeToken() -> String? { store.writeAhead.takeToken() }

    /// What this process did to names and images since this was last asked.
    package func takeChanges() -> TableChanges { store.names.takeChanges() }

    // MARK: Lines that were cut off

    /// Changes of names and images that are stamped with lines of a session.
    ///
    /// Throws what reading the names throws.
    package func stampedChanges(in name: String) throws(ShaleError) -> [StampedChanges] {
        try store.names.stamped(in: name)
    }

    /// The line that moved a container to the trash and was cut off; `nil` where none was.
    package func cutOffRemoval(of container: String) -> (stamp: LineStamp, name: String)? {
        store.containers.cutOffRemoval(of: container)
    }

    /// The words of a stamped line; `nil` where they are lost.
    package func words(of stamp: LineStamp) -> StampedLine? { store.writeAhead.line(of: stamp) }

    /// Whether the process that wrote a stamp is gone.
    package func isCutOff(_ stamp: LineStamp) -> Bool { store.writeAhead.isCutOff(stamp) }

    /// Whether a session may have lines that were cut off, in names and images or in `containers` of its roots.
    package func mayHaveCutOffLines(in name: String, removing containers: Set<String>) -> Bool {
        guard let stamped = try? store.names.stamped(in: name) else { return true }
        let stamps = stamped.map(\.stamp) + containers.compactMap { cutOffRemoval(of: $0)?.stamp }
        return stamps.contains { isCutOff($0) && !store.writeAhead.isFinished($0) }
    }

    // MARK: Archives of sessions

    package var blobs: BlobStore { store.blobs }

    /// The tables of the images that listings show, and of those that only sessions hold.
    ///
    /// Throws what reading the files throws.
    package func tables() throws(ShaleError) -> (listed: ImageTable, retained: ImageTable) {
        (try store.names.table(), try store.images.retainedTable())
    }

    /// Makes the images of a session that was imported known, once the session is there and keeps them.
    ///
    /// Returns the names that are another image's here and were left to it. Throws what taking the lock or writing the
    /// names throws.
    package func adopt(
        listed: [ImageEntry], retained: [ImageEntry], releasing blobs: [Digest]
    ) throws(ShaleError) -> [Reference] {
        let left = try store.images.adopt(listed: listed, retained: retained)
        store.blobs.release(blobs)
        return left
    }

    /// Deletes blobs that came for a session that could not be imported; what is swept with them is nobody's either.
    package func discard(_ blobs: [Digest]) {
        store.leases.drop(blobs.map { .digest($0) })
        if blobs.isEmpty { return }
        _ = Logger.session.attempt("collect what was brought for nothing") { try store.collect() }
    }
}
