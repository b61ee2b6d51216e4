package import Basics
import CLinux
import Glibc

/// What can be done to a name in an open directory; the name is one component and never followed if it is a link.
extension OwnedFD {
    /// Opens a name; `O_CLOEXEC` and `O_NOFOLLOW` are always set.
    ///
    /// Throws the error of `openat(2)`.
    package func open(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(SystemCallError) -> OwnedFD {
        OwnedFD(
            adopting: try check("open", path: name) {
                name.withPath { Glibc.openat(raw, $0, flags | O_CLOEXEC | O_NOFOLLOW, mode) }
            })
    }

    /// Tells the file system that the directories made here have nothing to do with each other; ext4 then puts each
    /// where most blocks are free; other file systems do not know this call (`ENOTTY`, `EOPNOTSUPP`).
    ///
    /// Without a journal ext4 uses no number of a file again that was removed in the last minutes, and looks past every
    /// one of them for each new file beside: thousands written where thousands were removed take seconds
    /// (`recently_deleted` in fs/ext4/ialloc.c). Throws the error of `ioctl(2)`.
    package func spreadSubdirectories() throws(SystemCallError) {
        try check("ioctl") { shale_spread_subdirectories(raw) }
    }

    /// Makes a directory, its permissions less the umask.
    ///
    /// Throws the error of `mkdirat(2)`.
    package func makeDirectory(_ name: String, mode: UInt32) throws(SystemCallError) {
        try check("mkdir", path: name) { name.withPath { mkdirat(raw, $0, mode) } }
    }

    /// Makes a fifo, a device or (character device 0:0) a whiteout; `mode` has the type's bits.
    ///
    /// Throws the error of `mknodat(2)`.
    package func makeNode(
        _ name: String, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(SystemCallError) {
        try check("mknod", path: name) { name.withPath { shale_mknodat(raw, $0, mode, major, minor) } }
    }

    /// Makes what hides a name of lower layers in overlayfs: a character device of number 0/0.
    ///
    /// Throws the error of `mknodat(2)`.
    package func makeWhiteout(_ name: String) throws(SystemCallError) {
        try makeNode(name, mode: 0o020000)
    }

    /// Makes a symbolic link.
    ///
    /// Throws the error of `symlinkat(2)`.
    package func makeSymlink(_ name: String, to target: String) throws(SystemCallError) {
        try check("symlink", path: name) {
            target.withPath { target in name.withPath { symlinkat(target, raw, $0) } }
        }
    }

    /// Gives `target` in another directory a second name here.
    ///
    /// Throws the error of `linkat(2)`.
    package func makeLink(
        _ name: String, to target: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let from = directory.raw
        try check("link", path: name) {
            target.withPath { target in name.withPath { linkat(from, target, raw, $0, 0) } }
        }
    }

    /// Removes a name, but none that something is mounted at: `EBUSY` then, as for a mount of one's own.
    ///
    /// In another namespace's tree the kernel would unmount it silently. Throws `EBUSY` in that case,
    /// and the error of `statx(2)` or `unlinkat(2)`.
    package func unlinkUnmounted(_ name: String) throws(SystemCallError) {
        let isMounted = try check("statx", path: name) { name.withPath { shale_is_mount_point(raw, $0) } }
        guard isMounted == 0 else { throw SystemCallError("unlink", path: name, errno: EBUSY) }
        try unlink(name)
    }

    /// Removes a name that is no directory's.
    ///
    /// Throws the error of `unlinkat(2)`.
    package func unlink(_ name: String) throws(SystemCallError) {
        try check("unlink", path: name) { name.withPath { unlinkat(raw, $0, 0) } }
    }

    /// Removes an empty directory.
    ///
    /// Throws the error of `unlinkat(2)`.
    package func removeDirectory(_ name: String) throws(SystemCallError) {
        try check("rmdir", path: name) { name.withPath { unlinkat(raw, $0, AT_REMOVEDIR) } }
    }

    /// Renames within a file system, replacing what has the new name.
    ///
    /// Throws the error of `renameat(2)`.
    package func rename(
        _ name: String, to newName: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let to = directory.raw
        try check("rename", path: name) {
            name.withPath { name in newName.withPath { renameat(raw, name, to, $0) } }
        }
    }

    /// Changes the owner and group of a name, of a link itself.
    ///
    /// Throws the error of `fchownat(2)`.
    package func changeOwner(of name: String, uid: UInt32, gid: UInt32) throws(SystemCallError) {
        try check("chown", path: name) { name.withPath { fchownat(raw, $0, uid, gid, AT_SYMLINK_NOFOLLOW) } }
    }

    /// Changes permission bits; not for links, which have none.
    ///
    /// Throws the error of `fchmodat(2)`.
    package func changeMode(of name: String, _ mode: UInt32) throws(SystemCallError) {
        try check("chmod", path: name) { name.withPath { fchmodat(raw, $0, mode, AT_SYMLINK_NOFOLLOW) } }
    }

    /// Sets the times of access and modification, of a link itself.
    ///
    /// Throws the error of `utimensat(2)`.
    package func setTimes(of name: String, _ time: Timestamp) throws(SystemCallError) {
        let times = Self.times(time)
        try check("utimensat", path: name) { name.withPath { utimensat(raw, $0, times, AT_SYMLINK_NOFOLLOW) } }
    }

    /// A link's target.
    ///
    /// Throws the error of `readlinkat(2)`.
    package func readLink(_ name: String) throws(SystemCallError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4097)
        let count = try checkLength("readlink", path: name) {
            buffer.withUnsafeMutableBytes { bytes in
                name.withPath { name in
                    bytes.baseAddress.map { readlinkat(raw, name, $0.assumingMemoryBound(to: CChar.self), bytes.count) }
                        ?? 0
                }
            }
        }
        return String(pathBytes: buffer[..<count])
    }

    /// The status of a name, or `nil` where there is none.
    ///
    /// Throws the error of reading the status, except `ENOENT`.
    package func statusIfPresent(_ name: String) throws(SystemCallError) -> FileStatus? {
        do throws(SystemCallError) {
            return try FileStatus.of(name, in: self)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    fileprivate static func times(_ time: Timestamp) -> [timespec] {
        let value = timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds))
        return [value, value]
    }
}

/// What can be done to an open file itself.
extension OwnedFD {
    /// Changes the file's owner and group.
    ///
    /// Throws the error of `fchown(2)`.
    package func changeOwner(uid: UInt32, gid: UInt32) throws(SystemCallError) {
        try check("chown") { fchown(raw, uid, gid) }
    }

    /// Changes the file's permission bits.
    ///
    /// Throws the error of `fchmod(2)`.
    package func changeMode(_ mode: UInt32) throws(SystemCallError) {
        try check("chmod") { fchmod(raw, mode) }
    }

    /// Sets the file's times of access and modification.
    ///
    /// Throws the error of `futimens(3)`.
    package func setTimes(_ time: Timestamp) throws(SystemCallError) {
        let times = Self.times(time)
        try check("utimensat") { futimens(raw, times) }
    }

    /// Makes the file exactly this long; what is new is a hole.
    ///
    /// Throws the error of `ftruncate(2)`.
    package func truncate(to size: Int64) throws(SystemCallError) {
        try check("ftruncate") { ftruncate(raw, off_t(size)) }
    }

    /// Writes all of it at an offset.
    ///
    /// Throws the error of `pwrite(2)`.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemCallError) {
        var rest = bytes
        var position = offset
        while !rest.isEmpty {
            let done = try checkLength("write") { pwrite(raw, rest.baseAddress, rest.count, off_t(position)) }
            rest = UnsafeRawBufferPointer(rebasing: rest[done...])
            position += Int64(done)
        }
    }
}

extension RootDirectory {
    /// Opens a path whose every component is what it says: a link anywhere, the last included, is `ELOOP`.
    ///
    /// Throws the error of `openat2(2)`.
    package func openLiteral(_ path: String, _ flags: Int32) throws(SystemCallError) -> OwnedFD {
        let resolve = UInt64(
            SHALE_RESOLVE_IN_ROOT | SHALE_RESOLVE_NO_MAGICLINKS | SHALE_RESOLVE_NO_SYMLINKS)
        let trimmed = path.hasPrefix("/") ? String(path.drop(while: { $0 == "/" })) : path
        let name = trimmed.isEmpty ? "." : trimmed
        for attempt in 0... {
            let fd = name.withPath { shale_openat2(descriptor.raw, $0, UInt64(UInt32(bitPattern: flags)), 0, resolve) }
            if fd >= 0 { return OwnedFD(adopting: fd) }
            let error = errno
            if error == EINTR || (error == EAGAIN && attempt < 32) { continue }
            throw SystemCallError("open", path: path, errno: error)
        }
        throw SystemCallError("open", path: path, errno: EAGAIN)
    }

    /// An open directory at a literal path.
    ///
    /// Throws the error of `openat2(2)`.
    package func directory(_ path: String) throws(SystemCallError) -> OwnedFD {
        try openLiteral(path, O_RDONLY | O_DIRECTORY)
    }
}

extension DirectoryEntries {
    /// All names with their status, sorted by bytes; names that vanish meanwhile are left out.
    ///
    /// Throws the error of reading the directory or a status.
    package static func list(
        _ directory: borrowing OwnedFD
    ) throws(SystemCallError) -> [(name: String, status: FileStatus)] {
        let all = try names(of: directory.open(".", O_RDONLY | O_DIRECTORY))
        var found: [(name: String, status: FileStatus)] = []
        found.reserveCapacity(all.count)
        for name in all {
            guard let status = try directory.statusIfPresent(name) else { continue }
            found.append((name, status))
        }
        return found
    }
}
