package import Basics
import Glibc
import Linux
package import OCI
import Synchronization

/// The file `index.json`, which maps names to manifests; `retained.json` has the same form.
///
/// The file is always read and replaced as a whole, under the store's lock.
package final class NameStore: Sendable {
    /// Facts that show whether the file is still the one that was read.
    private struct Version: Equatable {
        var inode: UInt64
        var size: Int64
        var modified: Timestamp
    }

    private struct State {
        var version: Version?
        var table = ImageTable()
        /// Decoded from the table when first needed.
        var stamped: [StampedChanges]?
        var changes = TableChanges()
    }

    private let path: String
    /// Whether a missing file counts as an empty table.
    private let mayBeMissing: Bool
    let lock: StoreLock
    /// Stamps changes with the line that makes them; `nil` for a table whose changes are not stamped.
    private let writeAhead: WriteAhead?
    /// Where changes are logged as events; `nil` for a table that no listing shows.
    private let events: EventLog?
    private let state = Mutex(State())

    init(
        path: String, lock: StoreLock, writeAhead: WriteAhead? = nil, events: EventLog? = nil,
        mayBeMissing: Bool = false
    ) {
        self.path = path
        self.lock = lock
        self.writeAhead = writeAhead
        self.events = events
        self.mayBeMissing = mayBeMissing
    }

    /// The changes that this process made since the last call.
    package func takeChanges() -> TableChanges {
        state.withLock { state in
            defer { state.changes = TableChanges() }
            return state.changes
        }
    }

    /// The current table.
    ///
    /// The file is read again only when it has changed.
    ///
    /// Throws `corrupt` when the file is damaged, and what reading it throws.
    package func table() throws(ShaleError) -> ImageTable {
        guard let version = try currentVersion() else { return ImageTable() }
        if let known = state.withLock({ $0.version == version ? $0.table : nil }) { return known }
        let table = try Observer.measure(.store, "read \(name)") { () throws(ShaleError) in try read() }
        remember(table, version)
        return table
    }

    private func read() throws(ShaleError) -> ImageTable {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path)
        } catch {
            throw error.storeError(name, at: path)
        }
        return ImageTable(try parse(bytes))
    }

    /// Changes the table under the lock.
    ///
    /// When `body` throws, nothing is changed.
    @discardableResult
    package func update<Result>(
        _ body: (inout ImageTable) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        try lock.exclusively { () throws(ShaleError) in try updateLocked(body) }
    }

    /// Changes the table for a caller that has the lock.
    func updateLocked<Result>(
        _ body: (inout ImageTable) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let old = try table()
        var table = old
        let result = try body(&table)
        if table != old { try replace(old, with: table) }
        return result
    }

    /// Writes a changed table, stamped with the line that makes the change.
    ///
    /// Called under the store's lock.
    func replace(_ old: ImageTable, with table: ImageTable) throws(ShaleError) {
        var changes = state.withLock { $0.changes }
        changes.add(from: old, to: table)
        var table = table
        if let writeAhead {
            let stamp = try writeAhead.stamp()
            let own = stamp.map { StampedChanges($0, changes) }
            try table.setStamped(
                writeAhead.unfinished(old.stamped, butOf: stamp) + [own].compactMap(\.self).filter { !$0.isEmpty })
        }
        try Observer.measure(.store, "write \(name)") { () throws(ShaleError) in try write(table) }
        state.withLock { $0.changes = changes }
        events?.append(StoreEvent.changes(from: old, to: table))
    }

    /// The stamped changes of a session's lines, which the session's journal may not contain yet.
    ///
    /// Throws what reading the names throws.
    package func stamped(in session: String) throws(ShaleError) -> [StampedChanges] {
        _ = try table()
        let stamped = state.withLock { state in
            let stamped = state.stamped ?? state.table.stamped
            state.stamped = stamped
            return stamped
        }
        return stamped.filter { $0.stamp.session == session }
    }

    /// Removes the stamps of a session that is renamed or removed, because another session may get its name.
    ///
    /// Called under the store's lock.
    func forgetLines(of session: String) throws(ShaleError) {
        let old = try table()
        let kept = old.stamped.filter { $0.stamp.session != session }
        guard kept.count < old.stamped.count else { return }
        var table = old
        try table.setStamped(kept)
        try write(table)
    }

    /// The manifest of a name; `nil` for an unknown name.
    ///
    /// Throws what reading the names throws.
    package func resolve(_ reference: Reference) throws(ShaleError) -> Descriptor? {
        try table().entry(named: reference)?.manifest
    }

    /// Gives a manifest a name, and takes the name from another entry.
    ///
    /// Most callers need `ImageStore.tag`, which also notes the image ID. Throws `conflict` when the name does not lead
    /// to
    /// `old`, and what writing the names throws.
    package func set(
        _ reference: Reference, to descriptor: Descriptor, expecting old: Descriptor? = nil
    ) throws(ShaleError) {
        try update { table throws(ShaleError) in
            if let old, table.entry(named: reference)?.manifest.digest != old.digest {
                throw ShaleError(.conflict, "\(reference.familiar): another shale moved this name meanwhile")
            }
            let known = table.entries.first { $0.manifest.digest == descriptor.digest }
            table.insert((known ?? ImageEntry(manifest: descriptor, image: nil)).named(reference))
        }
    }

    /// Removes a name.
    ///
    /// When it was the image's last name, the image stays without a name.
    ///
    /// Returns the manifest of the name. Throws what writing the names throws.
    @discardableResult
    package func remove(_ reference: Reference) throws(ShaleError) -> Descriptor? {
        try update { $0.removeName(reference)?.manifest }
    }

    /// All names, in the order of the file.
    ///
    /// Throws what reading the names throws.
    package func all() throws(ShaleError) -> [(reference: Reference, descriptor: Descriptor)] {
        try table().entries.compactMap { entry in entry.name.map { ($0, entry.manifest) } }
    }

    /// Replaces the whole table.
    ///
    /// The caller has the lock.
    func write(_ table: ImageTable) throws(ShaleError) {
        let bytes = Array(table.index.document.text().utf8)
        do throws(SystemCallError) {
            try WholeFile.replace(path, with: bytes)
        } catch {
            throw error.shaleError(name)
        }
        if let version = try? currentVersion() { remember(table, version) }
    }

    private var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    private func remember(_ table: ImageTable, _ version: Version) {
        state.withLock { state in
            state.version = version
            state.table = table
            state.stamped = nil
        }
    }

    /// `nil` for a missing file, when it may be missing.
    private func currentVersion() throws(ShaleError) -> Version? {
        do throws(SystemCallError) {
            let status = try FileStatus.of(hostPath: path)
            return Version(inode: status.inode, size: status.size, modified: status.modified)
        } catch {
            if error.errno == ENOENT {
                if mayBeMissing { return nil }
                throw damaged("missing")
            }
            throw error.storeError(name, at: path)
        }
    }

    private func parse(_ bytes: [UInt8]) throws(ShaleError) -> Index {
        do throws(ShaleError) {
            let document = try JSONDocument(parsing: bytes, naming: name)
            return try Index(DocumentReader(document, path: name))
        } catch {
            throw damaged(error.cause.map { "\(error.message): \($0)" } ?? error.message)
        }
    }

    private func damaged(_ why: String) -> ShaleError {
        ShaleError(.corrupt, "the store's \(name) is damaged", cause: why, hint: "system check --repair")
    }
}
