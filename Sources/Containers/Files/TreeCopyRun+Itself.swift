import Basics
import Glibc
import Linux

// A file copied onto itself would be emptied or lost, a directory copied into itself would never end. Both are found by
// device and inode, as GNU cp does: the two roots may show one place by different paths (a bind mount, a volume).
extension TreeCopyRun {
    /// Refuses a file that is already what the destination names.
    mutating func refuseSameFile(
        _ status: FileStatus, as name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        guard let there = try directory.statusIfPresent(name), there.identity == status.identity else { return }
        refusal = ShaleError(.conflict, "\(current.visible) and \(name.visible) are the same file")
        throw SystemCallError("copy", path: name, errno: EINVAL)
    }

    /// Refuses a destination that is the source directory or lies in it, before anything is made there.
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

    /// Refuses to go on where the walk comes to the directory it writes to.
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
