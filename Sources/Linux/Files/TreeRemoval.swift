import Glibc

/// Removes trees whose depth and names someone else chose.
package enum TreeRemoval {
    /// Removes a name and everything below it, following no link; nothing there is fine.
    ///
    /// Holds two descriptors however deep the tree is: it goes down by name and up by `..`, and gives up with `ESTALE`
    /// when `..` is not where it came from because someone moved the directory meanwhile. Throws `ESTALE` in that case,
    /// and the error of reading or removing.
    package static func remove(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) {
        do throws(SystemCallError) {
            try directory.unlink(name)
            return
        } catch {
            if error.errno == ENOENT { return }
            guard error.errno == EISDIR || error.errno == EPERM else { throw error }
        }
        guard let status = try directory.statusIfPresent(name) else { return }
        guard status.kind == .directory else { throw SystemCallError("unlink", path: name, errno: EPERM) }
        try empty(descend(into: name, from: directory))
        try directory.removeDirectory(name)
    }

    /// Removes everything in a directory, and keeps the directory.
    ///
    /// Throws the error of reading or removing.
    package static func empty(_ top: consuming OwnedFD) throws(SystemCallError) {
        var here = top
        var pending = try unlinkFiles(in: here)
        var above: [(name: String, status: FileStatus, pending: [String])] = []
        while true {
            if let name = pending.popLast() {
                above.append((name, try FileStatus.of(here), pending))
                here = try descend(into: name, from: here)
                pending = try unlinkFiles(in: here)
                continue
            }
            guard let level = above.popLast() else { return }
            here = try here.open("..", O_RDONLY | O_DIRECTORY)
            let found = try FileStatus.of(here)
            guard found.inode == level.status.inode, found.device == level.status.device else {
                throw SystemCallError("rmdir", path: level.name, errno: ESTALE)
            }
            try here.removeDirectory(level.name)
            pending = level.pending
        }
    }

    /// Unlinks all but directories, and returns those directories that are not empty.
    private static func unlinkFiles(in directory: borrowing OwnedFD) throws(SystemCallError) -> [String] {
        var left: [String] = []
        for name in try DirectoryEntries.names(of: directory.open(".", O_RDONLY | O_DIRECTORY)) {
            do throws(SystemCallError) {
                try unlink(name, in: directory)
            } catch {
                if error.errno == ENOENT { continue }
                guard error.errno == EISDIR || error.errno == EPERM else { throw error }
                guard let kind = try directory.statusIfPresent(name)?.kind else { continue }
                guard kind == .directory else { throw error }
                do throws(SystemCallError) {
                    try directory.removeDirectory(name)
                } catch {
                    guard error.errno == ENOTEMPTY || error.errno == EEXIST else { throw error }
                    left.append(name)
                }
            }
        }
        return left
    }

    /// Unlinks a name, giving ourselves the directory's write bit where its mode refuses it.
    private static func unlink(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) {
        do throws(SystemCallError) {
            try directory.unlink(name)
        } catch {
            guard error.errno == EACCES, fchmod(directory.raw, 0o700) == 0 else { throw error }
            try directory.unlink(name)
        }
    }

    /// Opens a directory to read and change it, giving ourselves the bits where its mode refuses them.
    private static func descend(
        into name: String, from directory: borrowing OwnedFD
    ) throws(SystemCallError) -> OwnedFD {
        do throws(SystemCallError) {
            return try directory.open(name, O_RDONLY | O_DIRECTORY)
        } catch {
            guard error.errno == EACCES else { throw error }
            try directory.changeMode(of: name, 0o700)
            return try directory.open(name, O_RDONLY | O_DIRECTORY)
        }
    }
}
