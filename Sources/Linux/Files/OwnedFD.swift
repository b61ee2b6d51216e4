import Basics
import CLinux
import Glibc

/// A file descriptor with one owner, closed when the value ends.
package struct OwnedFD: ~Copyable, Sendable {
    package let raw: Int32

    package init(adopting raw: Int32) { self.raw = raw }

    deinit { Glibc.close(raw) }

    /// Gives the number to the caller, who closes it.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// Opens a path of the host's own (`--home`, a file the user named); never one below an image's root.
    ///
    /// Where a named pipe has nobody at its other end this waits, and ends with `ECANCELED` when the process is told
    /// to. Throws the error of `open(2)`.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0o600
    ) throws(SystemCallError) -> OwnedFD {
        switch flags & O_ACCMODE {
        case _ where flags & (O_DIRECTORY | O_NONBLOCK | O_EXCL) != 0: try openAtOnce(path, flags, mode)
        case O_RDONLY: try NamedPipe.openToRead(path, flags)
        case O_WRONLY: try NamedPipe.openToWrite(path, flags, mode)
        default: try openAtOnce(path, flags, mode)
        }
    }

    static func openAtOnce(_ path: String, _ flags: Int32, _ mode: UInt32) throws(SystemCallError) -> OwnedFD {
        OwnedFD(
            adopting: try check("open", path: path) {
                path.withPath { Glibc.open($0, flags | O_CLOEXEC, mode) }
            })
    }

    /// Another descriptor of the same open file, 3 or above.
    ///
    /// Throws the error of `fcntl(2)`.
    package func duplicate() throws(SystemCallError) -> OwnedFD {
        OwnedFD(adopting: try check("fcntl") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }

    /// Waits until there is something to read, or the end; `ECANCELED` when the process is told to stop before.
    ///
    /// Throws `ECANCELED` in that case.
    package func waitForInput() throws(SystemCallError) { try NamedPipe.wait(for: POLLIN, on: raw) }

    /// Reads once, up to the buffer's length; 0 at the end.
    ///
    /// Throws the error of `read(2)`.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemCallError) -> Int {
        try checkLength("read") { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    /// Writes all of it.
    ///
    /// Throws the error of `write(2)`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) { try BorrowedFD(raw).write(bytes) }

    /// Writes all of the bytes.
    ///
    /// Throws the error of `write(2)`.
    package func write(_ bytes: [UInt8]) throws(SystemCallError) { try BorrowedFD(raw).write(bytes) }

    /// Writes all of it where the file stands, but leaves holes for longer stretches of zeros; ``endWithHole()`` comes
    /// behind the last.
    ///
    /// Throws the error of `lseek(2)` or `write(2)`.
    package func writeLeavingHoles(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
        var rest = bytes
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(64 << 10))
            if piece.count >= 16 << 10, Self.isZero(piece) {
                guard lseek(raw, off_t(piece.count), SEEK_CUR) >= 0 else { throw SystemCallError("lseek") }
            } else {
                try write(piece)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
        }
    }

    /// Makes the file as long as was written, also where a hole is at its end.
    ///
    /// Throws the error of `lseek(2)` or `ftruncate(2)`.
    package func endWithHole() throws(SystemCallError) {
        let end = lseek(raw, 0, SEEK_CUR)
        guard end >= 0 else { throw SystemCallError("lseek") }
        try check("ftruncate") { ftruncate(raw, end) }
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress, bytes.first == 0 else { return false }
        return memcmp(start, start + 1, bytes.count - 1) == 0
    }

    /// Everything from here to the end, refusing more than `limit` bytes with `EFBIG`.
    ///
    /// Throws `EFBIG` in that case, `ECANCELED` when the process is told to stop, and the error of `read(2)`.
    package func readAll(limit: Int = 64 << 20) throws(SystemCallError) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            try waitForInput()
            let count = try checkLength("read") {
                chunk.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, $0.count) }
            }
            if count == 0 { return all }
            guard all.count + count <= limit else { throw SystemCallError("read", errno: EFBIG) }
            all.append(contentsOf: chunk[..<count])
        }
    }

    /// Waits until what was written to the file is on the disk.
    ///
    /// Throws the error of `fsync(2)`.
    package func sync() throws(SystemCallError) {
        let raw = raw
        try Observer.measure(.disk, "sync \(Self.name(of: raw))") { () throws(SystemCallError) in
            _ = try check("fsync") { fsync(raw) }
        }
    }

    /// The path of an open file as the kernel knows it, for a trace; that of its folder for a file without a name, and
    /// without the end that marks a temporary file.
    private static func name(of raw: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(raw)", &buffer, buffer.count)
        guard count > 0 else { return "a file" }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
        if path.hasSuffix(" (deleted)") { return "a new file in \(folder)" }
        guard path.hasSuffix("~"), let point = path.lastIndex(of: "."), point >= folder.endIndex else { return path }
        return String(path[..<point])
    }
}
