package import Basics
import CLinux
import Glibc

/// What `lstat` tells of a file.
package struct FileStatus: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case regular, directory, symlink, fifo, socket, characterDevice, blockDevice

        /// What a mode's type bits say, or `nil` where they are none of inode(7)'s.
        init?(mode: UInt32) {
            switch mode & 0o170000 {
            case 0o100000: self = .regular
            case 0o040000: self = .directory
            case 0o120000: self = .symlink
            case 0o010000: self = .fifo
            case 0o140000: self = .socket
            case 0o020000: self = .characterDevice
            case 0o060000: self = .blockDevice
            default: return nil
            }
        }
    }

    package var kind: Kind
    /// Permission bits with set-id and sticky, 0o0000–0o7777.
    package var permissions: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var links: UInt32
    package var inode: UInt64
    package var device: UInt64
    package var rdevMajor: UInt32
    package var rdevMinor: UInt32
    /// Bytes; a symlink's is the length of its target.
    package var size: Int64
    /// 512-byte blocks in use.
    package var blocks: Int64
    package var modified: Timestamp
    package var changed: Timestamp

    /// Which file it is, whatever names lead to it.
    package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

    /// Overlayfs's whiteout: a character device 0:0.
    package var isWhiteout: Bool { kind == .characterDevice && rdevMajor == 0 && rdevMinor == 0 }

    init(_ info: shale_stat) {
        kind = Kind(mode: info.mode) ?? .regular
        permissions = info.mode & 0o7777
        uid = info.uid
        gid = info.gid
        links = info.links
        inode = info.inode
        device = info.device
        rdevMajor = info.rdev_major
        rdevMinor = info.rdev_minor
        size = info.size
        blocks = info.blocks
        modified = Timestamp(
            seconds: info.mtime_seconds, nanoseconds: Int32(truncatingIfNeeded: info.mtime_nanoseconds))
        changed = Timestamp(seconds: info.ctime_seconds, nanoseconds: Int32(truncatingIfNeeded: info.ctime_nanoseconds))
    }

    /// Root's, of mode 0755 and the time 0: what stands for a directory that is nowhere.
    package static var emptyDirectory: FileStatus {
        var info = shale_stat()
        info.mode = 0o040755
        info.links = 2
        return FileStatus(info)
    }

    /// Of an open descriptor (`fstat(2)`, also of an `O_PATH` one).
    ///
    /// Throws the error of the call.
    package static func of(_ fd: borrowing OwnedFD) throws(SystemCallError) -> FileStatus {
        var info = shale_stat()
        let raw = fd.raw
        try check("fstat") { shale_fstatat(raw, "", shale_at_empty_path(), &info) }
        return FileStatus(info)
    }

    /// Of a name below an open directory, not following a link at its end.
    ///
    /// Throws the error of the call: `ENOENT` where there is no such name.
    package static func of(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) -> FileStatus {
        var info = shale_stat()
        let raw = directory.raw
        try check("lstat", path: name) { name.withPath { shale_fstatat(raw, $0, AT_SYMLINK_NOFOLLOW, &info) } }
        return FileStatus(info)
    }

    /// Of a path of the host's own.
    ///
    /// Throws the error of the call: `ENOENT` where there is no such path.
    package static func of(hostPath path: String, followingLink: Bool = false) throws(SystemCallError) -> FileStatus {
        var info = shale_stat()
        try check(followingLink ? "stat" : "lstat", path: path) {
            path.withPath { shale_fstatat(AT_FDCWD, $0, followingLink ? 0 : AT_SYMLINK_NOFOLLOW, &info) }
        }
        return FileStatus(info)
    }
}

/// Which file a name means, for finding its other names: the device and inode numbers of stat(2).
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
