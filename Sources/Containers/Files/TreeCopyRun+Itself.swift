import Basics
import Glibc
import Linux

// Copying a file onto itself would empty or lose it, and copying a directory into itself would never end. Both are
// found by device and inode, as in GNU cp, because a bind mount or volume can make one place visible at two paths.
extension TreeCopyRun {
    /// Refuses a file that is the same file as the destination.
    mutating func refuseSameFile(
        _ status: FileStatus, as name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        guard let there = try directory.statusIfPresent(name), there.identity == status.identity else { return }
        refusal = ShaleError(.conflict, "\(current.visible) and \(name.visible) are the same file")
        throw SystemCallError("copy", path: name, errno: EINVAL)
    }

    /// Refuses a destination that is the source directory or is in it, before anything is made there.
    mutating func refuseInsideItself(_ status: FileStatus, _ destination: String) throws(SystemCallError) {
        var above = destination.pathParts.filter { $0 != "." }
        while true {
            let path = "/" + above.joined(separator: "/")
            if let there = try? target.status(path), there.identity == status.identity {
                try refuseItself(destination)
            }
            guard above.popLast() != nil else { return }
        }
    }

    /// Refuses to continue when the walk reaches the directory that it writes to.
    mutating func refuseDestination(_ status: FileStatus) throws(SystemCallError) {
        guard let top = topDirectory, status.identity == top.identity else { return }
        try refuseItself(current)
    }

    private mutating func refuseItself(_ destination: String) throws(SystemCallError) {
        let place = "/" + destination.pathParts.joined(separator: "/")
        refusal = ShaleError(
            .conflict, "cannot copy a directory, \(current.visible), into itself, \(place.visible)")
        throw SystemCallError("copy", path: destination, errno: ELOOP)
    }
}
