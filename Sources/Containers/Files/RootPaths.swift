import Basics
import Glibc
package import Linux

/// Paths below a root that can end in links, or that do not exist yet.
extension RootDirectory {
    /// The path after links at its end are followed inside the root.
    ///
    /// It need not exist.
    ///
    /// - Throws: `ELOOP` after 40 links.
    package func pathBehindLinks(_ path: String) throws(SystemCallError) -> String {
        var path = path
        for _ in 0..<40 {
            let target: String
            do throws(SystemCallError) {
                target = try readLink(path)
            } catch {
                // EINVAL: not a link (also "/" itself). ENOENT: nothing there yet.
                if error.errno == EINVAL || error.errno == ENOENT { return path }
                throw error
            }
            if target.isAbsolutePath {
                path = target
            } else {
                let folder = path.pathParts.dropLast().joined(separator: "/")
                path = "/\(folder)/\(target)"
            }
        }
        throw SystemCallError("open", path: path, errno: ELOOP)
    }

    /// Makes the missing directories of a path with an owner and mode.
    ///
    /// Links are followed inside the root.
    ///
    /// Throws the error of the system call that failed.
    package func makeOwnedDirectories(
        _ path: String, owner: TreeCopyOptions.Owner, mode: UInt32 = 0o755
    ) throws(SystemCallError) {
        var done = ""
        for part in path.pathParts where part != "." {
            let next = "\(done)/\(part)"
            defer { done = next }
            if part == ".." { continue }
            let parent = try parent(of: next)
            do throws(SystemCallError) {
                try parent.directory.makeDirectory(parent.name, mode: 0o755)
            } catch {
                guard error.errno == EEXIST else { throw error }
                if try FileStatus.of(parent.name, in: parent.directory).kind == .symlink {
                    let behind = try pathBehindLinks(next)
                    if behind != next { try makeOwnedDirectories(behind, owner: owner, mode: mode) }
                }
                continue
            }
            let made = try parent.directory.open(parent.name, O_RDONLY | O_DIRECTORY)
            try made.changeOwner(uid: owner.uid, gid: owner.gid)
            try made.changeMode(mode)
        }
    }
}
