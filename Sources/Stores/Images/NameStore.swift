package import Basics
import Glibc
import Linux
package import OCI
import Synchronization

/// `index.json`: which name leads to which manifest.
///
/// Read whole, replaced whole, under the store's lock.
package final class NameStore: Sendable {
    /// What tells whether the file is still the one that was read.
    private struct Version: Equatable {
        var inode: UInt64
        var size: Int64
        var modified: Timestamp
    }

    private struct State {
        var version: Version?
        var table = ImageTable()
    }

    private let paths: StorePaths
    let lock: StoreLock
    private let state = Mutex(State())

    init(paths: StorePaths, lock: StoreLock) {
        self.paths = paths
        self.lock = lock
    }

    /// The table as it is now; read again only when the file has changed.
    package func table() throws(ShaleError) -> ImageTable {
        let version = try currentVersion()
        if let known = state.withLock({ $0.version == version ? $0.table : nil }) { return known }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(paths.index)
        } catch {
            throw error.shaleError("index.json")
        }
        let table = ImageTable(try Self.parse(bytes))
        remember(table, version)
        return table
    }

    /// Changes the table under the lock; what `body` throws leaves it as it was.
    @discardableResult
    package func update<Result>(
        _ body: (inout ImageTable) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        try lock.exclusively { () throws(ShaleError) in try updateLocked(body) }
    }

    /// The same for one who holds the lock.
    func updateLocked<Result>(
        _ body: (inout ImageTable) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let old = try table()
        var table = old
        let result = try body(&table)
        if table != old { try write(table) }
        return result
    }

    /// The manifest a name leads to, `nil` for an unknown name.
    package func resolve(_ reference: Reference) throws(ShaleError) -> Descriptor? {
        try table().entry(named: reference)?.manifest
    }

    /// Gives a manifest a name, taking it from whatever had it; `expecting` refuses with `conflict` when that changed.
    ///
    /// Most callers want `ImageStore.tag`, which notes the image's id too.
    package func set(
        _ reference: Reference, to descriptor: Descriptor, expecting old: Descriptor? = nil
    ) throws(ShaleError) {
        try update { table throws(ShaleError) in
            if let old, table.entry(named: reference)?.manifest.digest != old.digest {
                throw ShaleError(.conflict, "\(reference.familiar): another shale moved this name meanwhile")
            }
            let known = table.entries.first { $0.manifest.digest == descriptor.digest }
            table.insert((known ?? ImageEntry(manifest: descriptor, image: nil)).named(reference.withDefaultTag))
        }
    }

    /// Takes a name away; the image stays, unnamed if that was its last.
    ///
    /// Answers what it led to.
    @discardableResult
    package func remove(_ reference: Reference) throws(ShaleError) -> Descriptor? {
        try update { $0.removeName(reference)?.manifest }
    }

    /// Every name there is, in the order of the file.
    package func all() throws(ShaleError) -> [(reference: Reference, descriptor: Descriptor)] {
        try table().entries.compactMap { entry in entry.name.map { ($0, entry.manifest) } }
    }

    /// Keeps a manifest without a name.
    package func addUnnamed(_ descriptor: Descriptor) throws(ShaleError) {
        try update { _ = $0.insert(ImageEntry(manifest: descriptor, image: nil)) }
    }

    /// Lets go of a manifest that has no name.
    package func removeUnnamed(_ descriptor: Descriptor) throws(ShaleError) {
        try update { $0.keep { $0.refName != nil || $0.manifest.digest != descriptor.digest } }
    }

    /// Replaces the whole table; for repair, under the lock.
    func write(_ table: ImageTable) throws(ShaleError) {
        let bytes = Array(table.index.document.text().utf8)
        do throws(SystemCallError) {
            try WholeFile.replace(paths.index, with: bytes, mode: 0o644)
        } catch {
            throw error.shaleError("index.json")
        }
        if let version = try? currentVersion() { remember(table, version) }
    }

    private func remember(_ table: ImageTable, _ version: Version) {
        state.withLock { $0 = State(version: version, table: table) }
    }

    private func currentVersion() throws(ShaleError) -> Version {
        do throws(SystemCallError) {
            let status = try FileStatus.of(hostPath: paths.index)
            return Version(inode: status.inode, size: status.size, modified: status.modified)
        } catch {
            if error.errno == ENOENT { throw Self.damaged("missing") }
            throw error.shaleError("index.json")
        }
    }

    private static func parse(_ bytes: [UInt8]) throws(ShaleError) -> Index {
        do throws(ShaleError) {
            let document = try JSONDocument(parsing: bytes, naming: "index.json")
            return try Index(DocumentReader(document, path: "index.json"))
        } catch {
            throw damaged(error.cause.map { "\(error.message): \($0)" } ?? error.message)
        }
    }

    private static func damaged(_ why: String) -> ShaleError {
        ShaleError(.corrupt, "the store's index.json is damaged", cause: why, hint: "system check --repair")
    }
}
