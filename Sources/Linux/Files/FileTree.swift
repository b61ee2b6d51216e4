import Basics
import CLinux
import Glibc

/// Whole directory trees of the store's own: removed, and measured.
///
/// No link is ever followed.
package enum FileTree {
    /// Removes a path of the host's own and everything below it; a path that is not there is no error.
    ///
    /// Throws the error of the call that failed, with `path` as its path.
    package static func remove(_ path: String) throws(SystemCallError) {
        let slash = path.lastSlash
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        do throws(SystemCallError) {
            try TreeRemoval.remove(name, in: OwnedFD.open(parent, O_RDONLY | O_DIRECTORY))
        } catch {
            throw SystemCallError(error.call, path: path, errno: error.errno)
        }
    }

    /// What a tree holds: bytes of its regular files (each inode once) and 512-byte blocks in use.
    ///
    /// Throws the error of reading a directory or a status.
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
