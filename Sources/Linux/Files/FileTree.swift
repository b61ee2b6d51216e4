import CLinux
import Glibc

/// Whole directory trees of the store's own: removed, and measured.
///
/// No link is ever followed.
package enum FileTree {
    /// Removes a path and everything below it; a path that is not there is no error.
    ///
    /// Directories without permissions are opened up on the way; trees deeper than the number of open files allows are
    /// taken apart from the top.
    package static func remove(_ path: String) throws(SystemCallError) {
        if path.withPath({ unlink($0) }) == 0 || errno == ENOENT { return }
        let error = errno
        guard error == EISDIR || error == EPERM else { throw SystemCallError("unlink", path: path, errno: error) }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let folder = try OwnedFD.open(parent, O_RDONLY | O_DIRECTORY)
        var removal = TreeTakingApart(path: path)
        try removal.directory(name, in: folder, depth: 0)
    }

    /// What a tree holds: bytes of its regular files (each inode once) and 512-byte blocks in use.
    package static func usage(of path: String) throws(SystemCallError) -> TreeUsage {
        var usage = TreeUsage()
        var seen: Set<UInt64> = []
        let root = try OwnedFD.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try measure(root, into: &usage, seen: &seen, depth: 0)
        return usage
    }

    private static func names(of directory: borrowing OwnedFD) throws(SystemCallError) -> [String] {
        let raw = directory.raw
        let own = try check("open") { openat(raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        return try DirectoryEntries.names(of: OwnedFD(adopting: own))
    }

    private static func measure(
        _ directory: borrowing OwnedFD, into usage: inout TreeUsage, seen: inout Set<UInt64>, depth: Int
    ) throws(SystemCallError) {
        for name in try names(of: directory) {
            let status: FileStatus
            do throws(SystemCallError) {
                status = try FileStatus.of(name, in: directory)
            } catch {
                if error.errno == ENOENT { continue }
                throw error
            }
            if status.kind != .directory, status.links > 1, !seen.insert(status.inode).inserted { continue }
            usage.entries += 1
            usage.blocks += status.blocks
            if status.kind == .regular { usage.bytes += status.size }
            guard status.kind == .directory, depth < 512 else { continue }
            let raw = directory.raw
            let below = name.withPath { openat(raw, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
            guard below >= 0 else { continue }
            try measure(OwnedFD(adopting: below), into: &usage, seen: &seen, depth: depth + 1)
        }
    }
}

/// How much a tree holds.
package struct TreeUsage: Sendable, Hashable {
    package var entries = 0
    package var bytes: Int64 = 0
    package var blocks: Int64 = 0
}

private struct TreeTakingApart {
    /// Open directories at one time; what lies deeper is moved up to the top and has its turn there.
    private static let deepest = 64
    private let path: String
    private var top: Int32 = -1
    private var moved = 0

    init(path: String) { self.path = path }

    mutating func directory(_ name: String, in parent: borrowing OwnedFD, depth: Int) throws(SystemCallError) {
        let above = parent.raw
        if name.withPath({ unlinkat(above, $0, AT_REMOVEDIR) }) == 0 || errno == ENOENT { return }
        let directory = try open(name, in: parent)
        if depth == 0 { top = directory.raw }
        var rounds = 0
        repeat {
            rounds += 1
            moved = depth == 0 ? 0 : moved
            for entry in try DirectoryEntries.names(of: reopen(directory)) {
                try remove(entry, in: directory, depth: depth)
            }
        } while depth == 0 && moved > 0 && rounds < 10_000
        if name.withPath({ unlinkat(above, $0, AT_REMOVEDIR) }) == -1, errno != ENOENT {
            throw SystemCallError("rmdir", path: path)
        }
    }

    private mutating func remove(
        _ entry: String, in directory: borrowing OwnedFD, depth: Int
    ) throws(SystemCallError) {
        let raw = directory.raw
        for _ in 0..<2 {
            if entry.withPath({ unlinkat(raw, $0, 0) }) == 0 { return }
            let error = errno
            switch error {
            case ENOENT: return
            case EISDIR, EPERM:
                guard (try? FileStatus.of(entry, in: directory))?.kind == .directory else {
                    throw SystemCallError("unlink", path: path, errno: error)
                }
                try removeDirectory(entry, in: directory, depth: depth)
                return
            case EACCES: fchmod(raw, 0o700)
            default: throw SystemCallError("unlink", path: path, errno: error)
            }
        }
        throw SystemCallError("unlink", path: path, errno: EACCES)
    }

    private mutating func removeDirectory(
        _ entry: String, in directory: borrowing OwnedFD, depth: Int
    ) throws(SystemCallError) {
        guard depth >= Self.deepest else { return try self.directory(entry, in: directory, depth: depth + 1) }
        let raw = directory.raw
        let place = ".deep-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        _ = entry.withPath { fchmodat(raw, $0, 0o700, 0) }
        if entry.withPath({ renameat(raw, $0, top, place) }) == -1 { throw SystemCallError("rename", path: path) }
        moved += 1
    }

    private func open(_ name: String, in parent: borrowing OwnedFD) throws(SystemCallError) -> OwnedFD {
        let above = parent.raw
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var raw = name.withPath { openat(above, $0, flags) }
        if raw == -1, errno == EACCES {
            _ = name.withPath { fchmodat(above, $0, 0o700, 0) }
            raw = name.withPath { openat(above, $0, flags) }
        }
        guard raw >= 0 else { throw SystemCallError("open", path: path) }
        return OwnedFD(adopting: raw)
    }

    /// A second descriptor with a position of its own.
    private func reopen(_ directory: borrowing OwnedFD) throws(SystemCallError) -> OwnedFD {
        try open(".", in: directory)
    }
}
