package import Basics
import Glibc
package import Linux
import OCI

/// The files of one session in `sessions/<name>/`, such as its journal.
package struct SessionFolder: Sendable {
    package let name: String
    package let path: String
    private let lock: StoreLock

    /// The journal: append-only, one line for each command.
    package var journal: String { path + "/journal" }
    /// What collection must keep for this session's undo, one entry per line; see ``SessionRoots``.
    package var rootsFile: String { file(Self.rootsName) }
    package static let rootsName = "roots"

    /// The IDs of removed containers that an imported session names and that were not exported, one per line.
    package static let elsewhereName = "elsewhere"

    /// The path of one of the session's files.
    package func file(_ name: String) -> String { "\(path)/\(name)" }

    init(parent: String, name: String, lock: StoreLock) throws(ShaleError) {
        try Self.check(name)
        self.name = name
        path = "\(parent)/\(name)"
        self.lock = lock
        // In a home that cannot be written to, the folder may be missing. The session is then empty.
        if lock.unwritable != nil { return }
        if mkdir(path, 0o700) == -1, errno != EEXIST {
            throw SystemCallError("mkdir", path: path).shaleError("session \(name)")
        }
    }

    /// Throws `invalid` for a name that could leave the folder or look like an option.
    package static func check(_ name: String) throws(ShaleError) {
        let isWord = { (byte: UInt8) in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard let first = name.utf8.first, isWord(first), name.utf8.count <= 128,
            name.utf8.allSatisfy({ isWord($0) || "_.-".utf8.contains($0) })
        else {
            throw ShaleError(
                .invalid, "session \"\(name)\": a name has letters, digits, dots, dashes and underscores")
        }
    }

    static func names(in parent: String) throws(ShaleError) -> [String] {
        var found: [String] = []
        for name in try StoreFolder.names(parent) {
            let path = "\(parent)/\(name)"
            do throws(SystemCallError) {
                if try ifPresent(FileStatus.of(hostPath: path))?.kind == .directory { found.append(name) }
            } catch {
                throw error.storeError("session \(name)", at: path)
            }
        }
        return found
    }

    /// Throws `denied` for a home that cannot be written to.
    package func requireWritable() throws(ShaleError) { try lock.requireWritable() }

    /// Takes a shared lock that shows that this process uses the session.
    ///
    /// Several processes may hold it.
    ///
    /// The lock ends with the value. Throws what opening or locking the file throws.
    package func share() throws(ShaleError) -> FileLock? {
        if lock.unwritable != nil, access(path + "/lock", F_OK) != 0 { return nil }
        do throws(SystemCallError) {
            return try FileLock.trying(path + "/lock", exclusive: false)
        } catch {
            throw error.shaleError("session \(name)")
        }
    }

    /// Takes the session's exclusive lock, or returns `nil` when another process uses the session.
    ///
    /// The lock ends with the value. Throws what opening or locking the file throws.
    package func tryLock() throws(ShaleError) -> FileLock? {
        do throws(SystemCallError) {
            return try FileLock.trying(path + "/lock", exclusive: true)
        } catch {
            throw error.shaleError("session \(name)")
        }
    }

    /// Appends a line to the journal and syncs it.
    ///
    /// The line must contain no newline. An incomplete last line is cut off first. Throws what writing the journal
    /// throws, also
    /// when the home cannot be written to.
    package func append(_ line: String, syncing: Bool = true) throws(ShaleError) {
        try requireWritable()
        do throws(SystemCallError) {
            let file = try OwnedFD.open(journal, O_RDWR | O_CREAT)
            let end = try Self.endOfLastLine(file)
            let raw = file.raw
            try Linux.check("ftruncate") { ftruncate(raw, off_t(end)) }
            lseek(raw, off_t(end), SEEK_SET)
            try file.write(Array(line.utf8) + [UInt8(ascii: "\n")])
            if syncing { try file.sync() }
        } catch {
            throw error.shaleError("session \(name): journal")
        }
    }

    /// The complete lines of the journal, oldest first.
    ///
    /// Throws what reading the journal throws.
    package func lines() throws(ShaleError) -> [String] {
        guard let bytes = try read("journal", limit: 1 << 30) else { return [] }
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[...$0] } ?? []
        return whole.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes of a file; `nil` when it does not exist.
    ///
    /// Throws what reading the file throws, also for more than `limit` bytes.
    package func read(_ name: String, limit: Int = 64 << 20) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(file(name), limit: limit)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error.storeError("session \(self.name)", at: file(name))
        }
    }

    /// Replaces a file as a whole.
    ///
    /// Throws what writing the file throws, also where the home cannot be written to.
    package func write(_ name: String, _ bytes: [UInt8]) throws(ShaleError) {
        try requireWritable()
        do throws(SystemCallError) {
            try WholeFile.replace(file(name), with: bytes)
        } catch {
            throw error.shaleError("session \(self.name)")
        }
    }

    /// Whether a removed container was not exported with this session.
    ///
    /// Throws what reading the session's list of them throws.
    package func leftElsewhere(_ container: String) throws(ShaleError) -> Bool {
        guard let bytes = try read(Self.elsewhereName) else { return false }
        return bytes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(container.utf8) }
    }

    /// What collection keeps for this session.
    ///
    /// Throws what reading the file throws, and `corrupt` for one with a damaged line: what that line keeps would
    /// otherwise be collected.
    package func roots() throws(ShaleError) -> SessionRoots {
        let found = SessionRoots.read(try read(Self.rootsName) ?? [])
        guard found.damagedLines == 0 else {
            throw ShaleError(
                .corrupt, "session \(name): the list of what it keeps is damaged", hint: "system check --repair")
        }
        return found.roots
    }

    /// Replaces what collection keeps.
    ///
    /// Throws what locking or writing the file throws.
    package func setRoots(_ roots: SessionRoots) throws(ShaleError) {
        try withRootsLock { () throws(ShaleError) in try write(Self.rootsName, Array(roots.text.utf8)) }
    }

    /// Replaces a damaged list by its lines that can be read, and keeps the damaged one as `roots.damaged`.
    ///
    /// The list is there at every moment: collection takes a missing one for an empty one. Throws what locking, reading
    /// or writing the files throws.
    func repairRoots() throws(ShaleError) {
        try withRootsLock { () throws(ShaleError) in
            let bytes = try read(Self.rootsName) ?? []
            let found = SessionRoots.read(bytes)
            guard found.damagedLines > 0 else { return }
            try write("\(Self.rootsName).damaged", bytes)
            try write(Self.rootsName, Array(found.roots.text.utf8))
        }
    }

    /// Adds to what collection keeps, and syncs.
    ///
    /// Entries that it has already are skipped.
    ///
    /// Throws what locking, reading or writing the file throws.
    package func addRoots(_ roots: SessionRoots) throws(ShaleError) {
        try withRootsLock { () throws(ShaleError) in
            let known = try self.roots()
            let fresh = SessionRoots(
                digests: roots.digests.subtracting(known.digests),
                containers: roots.containers.subtracting(known.containers))
            guard !fresh.isEmpty else { return }
            do throws(SystemCallError) {
                let file = try OwnedFD.open(rootsFile, O_WRONLY | O_CREAT | O_APPEND)
                // After a line that a crash interrupted, the new entry must begin on its own line.
                try file.write(Array("\n\(fresh.text)".utf8))
                try file.sync()
            } catch {
                throw error.shaleError("session \(name)")
            }
        }
    }

    private func withRootsLock<Result>(_ body: () throws(ShaleError) -> Result) throws(ShaleError) -> Result {
        try requireWritable()
        let held: FileLock
        do throws(SystemCallError) {
            held = try FileLock.waiting(on: path + "/roots.lock", exclusive: true)
        } catch {
            throw error.shaleError("session \(name)")
        }
        let result = try body()
        withExtendedLifetime(held) {}
        return result
    }

    /// Removes the session's folder.
    ///
    /// Throws what removing the folder throws.
    package func remove() throws(ShaleError) {
        do throws(SystemCallError) { try FileTree.remove(path) } catch { throw error.shaleError("session \(name)") }
    }

    /// The offset at which the last complete line ends.
    private static func endOfLastLine(_ file: borrowing OwnedFD) throws(SystemCallError) -> Int64 {
        let raw = file.raw
        var end = try FileStatus.of(file).size
        var byte: UInt8 = 0
        while end > 0 {
            let position = end - 1
            let count = try checkLength("pread") { pread(raw, &byte, 1, off_t(position)) }
            if count == 0 || byte == UInt8(ascii: "\n") { break }
            end = position
        }
        return end
    }
}
