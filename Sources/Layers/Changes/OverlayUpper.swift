package import Basics
import Glibc
package import Linux

/// Turns an overlay's upper directory into the directory that unpacking the layer's tar would make.
package enum OverlayUpper {
    /// Changes `upper` so that it matches the changes that were written to its tar.
    ///
    /// Overlayfs's own attributes, mount points, sockets, and files that were copied up and not changed are removed.
    /// Opaque marks become whiteouts of the same effect. Directories keep their times. With `epoch`, times are limited
    /// as in the tar. The overlay must be unmounted. Throws what reading or changing the directory throws.
    package static func finalize(
        _ upper: RootDirectory, changes: [Change], form: OverlayForm, clampingTo epoch: Timestamp? = nil
    ) throws(ShaleError) {
        var kept: [PathKey: Change] = [:]
        var deleted: [PathKey: [String]] = [:]
        for change in changes {
            kept[PathKey(change.path)] = change
            guard change.kind == .deleted else { continue }
            let place = EntryPath(change.path.pathBytes)
            deleted[PathKey("/" + place.parent), default: []].append(place.name)
        }
        var pending = ["/"]
        while let path = pending.popLast() {
            do throws(SystemCallError) {
                let here = try upper.directory(path)
                let inside = try finalize(
                    here, at: path, kept: kept, deleted: deleted[PathKey(path)] ?? [], epoch: epoch)
                pending.append(contentsOf: inside)
            } catch {
                throw error.shaleError(path)
            }
        }
    }

    /// Does this for one directory, and returns the directories in it.
    private static func finalize(
        _ here: borrowing OwnedFD, at path: String, kept: [PathKey: Change], deleted: [String], epoch: Timestamp?
    ) throws(SystemCallError) -> [String] {
        let modified = try FileStatus.of(here).modified
        var directories: [String] = []
        var present: Set<PathKey> = []
        var isTouched = false
        for (name, status) in try DirectoryEntries.list(here) {
            let child = path == "/" ? "/" + name : "\(path)/\(name)"
            guard kept[PathKey(child)] != nil, status.kind != .socket else {
                try TreeRemoval.remove(name, in: here)
                isTouched = true
                continue
            }
            present.insert(PathKey(name))
            if status.isWhiteout { continue }
            if status.kind == .directory { directories.append(child) } else { try removeBookkeeping(name, in: here) }
            if let epoch, status.kind != .directory, status.modified > epoch { try here.setTimes(of: name, epoch) }
        }
        for name in deleted where !present.contains(PathKey(name)) {
            try here.makeWhiteout(name)
            isTouched = true
        }
        try removeBookkeeping(".", in: here)
        if let epoch, modified > epoch {
            try here.setTimes(epoch)
        } else if isTouched {
            try here.setTimes(modified)
        }
        return directories
    }

    private static func removeBookkeeping(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) {
        for attribute in try ExtendedAttributes.names(of: name, in: directory)
        where OverlayForm.isBookkeeping(attribute) {
            try ExtendedAttributes.remove(attribute, of: name, in: directory)
        }
    }
}
