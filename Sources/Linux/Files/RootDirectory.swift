import Basics
import CLinux
import Glibc

/// A directory that nothing below it can leave: every path is resolved by the kernel as if it were `/`.
///
/// Absolute links and `..` stay inside (`openat2(2)`, `RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS`); a rename by someone
/// else while a path is walked makes the kernel answer `EAGAIN`, which is tried again a few times. Paths may begin
/// with `/` or not; both mean below the root.
package final class RootDirectory: Sendable {
    package let descriptor: OwnedFD

    package init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// Opens a directory of the host's own as a root.
    ///
    /// Throws the error of opening the directory.
    package convenience init(hostPath: String) throws(SystemCallError) {
        self.init(try OwnedFD.open(hostPath, O_RDONLY | O_DIRECTORY))
    }

    /// Opens a path below the root; `O_CLOEXEC` is always set.
    ///
    /// Without `O_NOFOLLOW` a link at the end is followed, inside the root. Throws the error of `openat2(2)`.
    package func open(
        _ path: String, _ flags: Int32, mode: UInt64 = 0, allowingOtherFileSystems: Bool = true
    ) throws(SystemCallError) -> OwnedFD {
        var resolve = UInt64(SHALE_RESOLVE_IN_ROOT | SHALE_RESOLVE_NO_MAGICLINKS)
        if !allowingOtherFileSystems { resolve |= UInt64(SHALE_RESOLVE_NO_XDEV) }
        let name = path.isEmpty ? "." : path
        for attempt in 0... {
            let fd = name.withPath { name in
                shale_openat2(
                    descriptor.raw, name, UInt64(UInt32(bitPattern: flags)), flags & O_CREAT != 0 ? mode : 0, resolve)
            }
            if fd >= 0 { return OwnedFD(adopting: fd) }
            let error = errno
            if error == EINTR || (error == EAGAIN && attempt < 32) { continue }
            throw SystemCallError("open", path: path, errno: error)
        }
        throw SystemCallError("open", path: path, errno: EAGAIN)
    }

    /// The directory that holds a path's last component, and that component; the parent's links are followed inside.
    ///
    /// Throws `EINVAL` for a path whose last component is `..` or that is the root itself.
    package func parent(of path: String) throws(SystemCallError) -> ParentDirectory {
        var parts = path.pathParts.filter { $0 != "." }
        guard let name = parts.popLast(), name != ".." else {
            throw SystemCallError("open", path: path, errno: EINVAL)
        }
        let directory = try open(parts.joined(separator: "/"), O_RDONLY | O_DIRECTORY)
        return ParentDirectory(directory: directory, name: String(name))
    }

    /// Of what a path names, not following a link at its end.
    ///
    /// Throws the error of opening the path.
    package func status(_ path: String) throws(SystemCallError) -> FileStatus {
        try FileStatus.of(open(path, shale_o_path() | O_NOFOLLOW))
    }

    /// Of what a path leads to, its last link followed inside the root.
    ///
    /// Throws the error of opening the path.
    package func resolvedStatus(_ path: String) throws(SystemCallError) -> FileStatus {
        try FileStatus.of(open(path, shale_o_path()))
    }

    /// A link's target.
    ///
    /// Throws the error of opening the path or of `readlinkat(2)`.
    package func readLink(_ path: String) throws(SystemCallError) -> String {
        let link = try open(path, shale_o_path() | O_NOFOLLOW)
        return try Self.readLink(of: link, path: path)
    }

    static func readLink(of link: borrowing OwnedFD, path: String) throws(SystemCallError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4097)
        let raw = link.raw
        let count = try checkLength("readlink", path: path) {
            buffer.withUnsafeMutableBytes { bytes in
                bytes.baseAddress.map { readlinkat(raw, "", $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? 0
            }
        }
        return String(pathBytes: buffer[..<count])
    }

    /// The names in a directory, sorted by bytes.
    ///
    /// Throws the error of opening or reading the directory.
    package func names(in path: String) throws(SystemCallError) -> [String] {
        try DirectoryEntries.names(of: open(path, O_RDONLY | O_DIRECTORY))
    }

    /// A file's bytes, refusing what is not a regular file and more than `limit` bytes.
    ///
    /// Throws `EINVAL` for what is not a regular file, `EFBIG` for more than `limit` bytes, and the error of opening or
    /// reading.
    package func contents(of path: String, limit: Int = 16 << 20) throws(SystemCallError) -> [UInt8] {
        let file = try open(path, O_RDONLY | O_NONBLOCK)
        guard try FileStatus.of(file).kind == .regular else {
            throw SystemCallError("read", path: path, errno: EINVAL)
        }
        return try file.readAll(limit: limit)
    }

    /// Makes a directory and those above it that are missing, each with `mode` and the caller's owner.
    ///
    /// Throws the error of `mkdirat(2)` or of opening a directory on the way.
    package func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemCallError) {
        var done = ""
        for part in path.pathParts where part != "." {
            let parent = try parent(of: done + "/" + part)
            let made = parent.name.withPath { mkdirat(parent.directory.raw, $0, mode) }
            if made == -1, errno != EEXIST { throw SystemCallError("mkdir", path: path) }
            done += "/" + part
        }
    }
}

/// An open directory and a name in it, for calls that act on a name (`unlinkat`, `mknodat`, `renameat`).
package struct ParentDirectory: ~Copyable, Sendable {
    package let directory: OwnedFD
    package let name: String
}

/// The names of a directory.
package enum DirectoryEntries {
    /// All names but `.` and `..`, sorted by bytes; takes the descriptor over.
    ///
    /// Throws the error of reading the directory.
    package static func names(of directory: consuming OwnedFD) throws(SystemCallError) -> [String] {
        try entries(of: directory).map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// At most `most` names but `.` and `..` with what the directory says they are, in its own order; takes the
    /// descriptor over.
    ///
    /// The kind is `nil` where the file system does not say it. See readdir(3). Throws the error of reading the
    /// directory.
    package static func entries(
        of directory: consuming OwnedFD, most: Int = .max
    ) throws(SystemCallError) -> [(name: String, kind: FileStatus.Kind?)] {
        // An entry is read where it lies: copied as Swift's tuple of 256 bytes, the last one of a full buffer would be
        // read past the buffer's end.
        guard let stream = shale_directory_open(directory.release()) else { throw SystemCallError("fdopendir") }
        defer { shale_directory_close(stream) }
        var found: [(name: String, kind: FileStatus.Kind?)] = []
        var name: UnsafePointer<CChar>?
        var type: UInt8 = 0
        while found.count < most {
            let more = shale_directory_next(stream, &name, &type)
            if more == -1 { throw SystemCallError("readdir") }
            guard more == 1, let name else { break }
            let text = String(pathBytes: UnsafeRawBufferPointer(start: name, count: strlen(name)))
            // The types are the bits of a mode that tell the kind (IFTODT of dirent.h).
            found.append((text, FileStatus.Kind(mode: UInt32(type) << 12)))
        }
        return found
    }
}
