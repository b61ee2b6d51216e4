import CLinux
import Glibc

/// A lock on a file of the store's that dies with its holder (`flock(2)`).
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    private init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// The file that is locked, made if it is not there; where nothing can be written, a file that is there locks as well.
    private static func file(_ path: String) throws(SystemCallError) -> OwnedFD {
        do throws(SystemCallError) {
            return try OwnedFD.open(path, O_RDWR | O_CREAT)
        } catch {
            guard error.errno == EROFS || error.errno == EACCES, let file = try? OwnedFD.open(path, O_RDONLY) else {
                throw error
            }
            return file
        }
    }

    /// Waits for the lock; makes the file if it is not there.
    package static func waiting(on path: String, exclusive: Bool) throws(SystemCallError) -> FileLock {
        let file = try file(path)
        let raw = file.raw
        try check("flock", path: path) { shale_flock(raw, exclusive ? 1 : 0, 1) }
        return FileLock(file)
    }

    /// Waits for the lock of a directory itself, for which no file is made.
    package static func waiting(onDirectory path: String) throws(SystemCallError) -> FileLock {
        let directory = try OwnedFD.open(path, O_RDONLY | O_DIRECTORY)
        let raw = directory.raw
        try check("flock", path: path) { shale_flock(raw, 1, 1) }
        return FileLock(directory)
    }

    /// Takes the lock of a directory itself at once, or answers `nil` when another holds it.
    package static func trying(onDirectory path: String) throws(SystemCallError) -> FileLock? {
        let directory = try OwnedFD.open(path, O_RDONLY | O_DIRECTORY)
        if shale_flock(directory.raw, 1, 0) == 0 { return FileLock(directory) }
        let error = errno
        guard error == EWOULDBLOCK else { throw SystemCallError("flock", path: path, errno: error) }
        return nil
    }

    /// The locked file's inode, to tell whether the path still leads to it.
    package func inode() throws(SystemCallError) -> UInt64 { try FileStatus.of(descriptor).inode }

    /// Whether another holds the lock of a file that is there.
    package static func isTaken(_ path: String) -> Bool {
        guard let file = try? OwnedFD.open(path, O_RDONLY) else { return false }
        return shale_flock(file.raw, 1, 0) != 0
    }

    /// Takes the lock at once, or answers `nil` when another holds it.
    package static func trying(_ path: String, exclusive: Bool) throws(SystemCallError) -> FileLock? {
        let file = try file(path)
        if shale_flock(file.raw, exclusive ? 1 : 0, 0) == 0 { return FileLock(file) }
        let error = errno
        guard error == EWOULDBLOCK else { throw SystemCallError("flock", path: path, errno: error) }
        return nil
    }
}
