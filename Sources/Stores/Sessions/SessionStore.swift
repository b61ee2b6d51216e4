package import Basics
import Diagnostics
import Logging
package import OCI

/// What a home stores for sessions: their folders, the stamps of running lines, and the blobs of session archives.
package struct SessionStore: Sendable {
    private let store: Store

    package init(_ store: Store) { self.store = store }

    // MARK: Folders

    /// The names of all sessions, sorted.
    ///
    /// Throws what reading the sessions' folder throws.
    package func names() throws(ShaleError) -> [String] { try store.sessionNames() }

    /// The folder of a session, created when missing.
    ///
    /// Throws `invalid` when the name cannot be a session's, and what making the folder throws.
    package func folder(of name: String) throws(ShaleError) -> SessionFolder { try store.session(name) }

    /// The path of a session's folder, whether it exists or not.
    package func path(of name: String) -> String { "\(store.paths.sessions)/\(name)" }

    /// What all sessions together can restore.
    ///
    /// Throws what reading the sessions' files throws.
    package func roots() throws(ShaleError) -> SessionRoots { try store.sessionRoots() }

    /// Throws `denied` for a home that cannot be written to.
    package func requireWritable() throws(ShaleError) { try store.requireWritable() }

    /// A path for a temporary folder that is renamed later, so that a folder appears or disappears in one step.
    ///
    /// Throws what making the folder for it throws.
    package func newScratchPath() throws(ShaleError) -> String { try store.newScratchPath() }

    /// Removes the stamps of a session's lines that no journal contains yet.
    ///
    /// Throws what writing the names throws.
    package func forgetLines(of name: String) throws(ShaleError) { try store.forgetLines(of: name) }

    // MARK: The line under way in this process

    /// Begins a use: things that are found, made or asked for stay leased until the value ends.
    package func beginUse() -> LeaseUse { store.leases.beginUse() }

    /// Sets the line that is running; `nil` when no line makes the changes.
    package func begin(_ line: LineUnderWay?) { store.writeAhead.begin(line) }

    /// The token of the stamps since the last call; `nil` when there were none.
    package func takeToken() -> String? { store.writeAhead.takeToken() }

    /// The changes that this process made to names and images since the last call.
    package func takeChanges() -> TableChanges { store.names.takeChanges() }

    // MARK: Lines that were cut off

    /// The changes of names and images that are stamped with a session's lines.
    ///
    /// Throws what reading the names throws.
    package func stampedChanges(in name: String) throws(ShaleError) -> [StampedChanges] {
        try store.names.stamped(in: name)
    }

    /// The interrupted line that moved a container to the trash; `nil` when there is none.
    ///
    /// Throws the error of a file that cannot be read.
    package func cutOffRemoval(of container: String) throws(ShaleError) -> (stamp: LineStamp, name: String)? {
        try store.containers.cutOffRemoval(of: container)
    }

    /// The text of a stamped line; `nil` when it is lost.
    package func words(of stamp: LineStamp) -> StampedLine? { store.writeAhead.line(of: stamp) }

    /// Whether the process that wrote a stamp has ended.
    package func isCutOff(_ stamp: LineStamp) -> Bool { store.writeAhead.isCutOff(stamp) }

    /// Whether a session may have interrupted lines, among changes of names and images or removals of `containers`.
    ///
    /// What cannot be read may have one.
    package func mayHaveCutOffLines(in name: String, removing containers: Set<String>) -> Bool {
        do throws(ShaleError) {
            var stamps = try store.names.stamped(in: name).map(\.stamp)
            for id in containers { if let removal = try cutOffRemoval(of: id) { stamps.append(removal.stamp) } }
            for stamp in stamps where isCutOff(stamp) { if try !store.writeAhead.isFinished(stamp) { return true } }
            return false
        } catch {
            return true
        }
    }

    // MARK: Archives of sessions

    package var blobs: BlobStore { store.blobs }

    /// The tables of listed and of retained images.
    ///
    /// Throws what reading the files throws.
    package func tables() throws(ShaleError) -> (listed: ImageTable, retained: ImageTable) {
        (try store.names.table(), try store.images.retainedTable())
    }

    /// Adds the images of an imported session, when the session exists and keeps them.
    ///
    /// Returns the names that were not set, because they belong to other images. Throws what taking the lock or writing
    /// the
    /// names throws.
    package func adopt(
        listed: [ImageEntry], retained: [ImageEntry], releasing blobs: [Digest]
    ) throws(ShaleError) -> [Reference] {
        let left = try store.images.adopt(listed: listed, retained: retained)
        store.blobs.release(blobs)
        return left
    }

    /// Deletes the blobs of a session that could not be imported, with a collection.
    package func discard(_ blobs: [Digest]) {
        store.leases.drop(blobs.map { .digest($0) })
        if blobs.isEmpty { return }
        _ = Logger.session.attempt("collect what was brought for nothing") { try store.collect() }
    }
}
