import Basics
import CLinux
import Glibc

/// A lock on a file of the store's that dies with its holder (`flock(2)`).
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: OwnedFD
    /// Reports how long the lock was held; `nil` when nobody listens.
    private let watch: LockWatch?

    private init(_ descriptor: consuming OwnedFD, _ watch: LockWatch? = nil) {
        self.descriptor = descriptor
        self.watch = watch
    }

    /// The file that is locked, made if it is not there; where nothing can be written, a file that is there locks as
    /// well.
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
    ///
    /// Throws the error of opening the file or of `flock(2)`.
    package static func waiting(on path: String, exclusive: Bool) throws(SystemCallError) -> FileLock {
        let file = try file(path)
        let raw = file.raw
        let watch = try LockWatch.waiting(for: path, exclusive: exclusive) { () throws(SystemCallError) in
            try check("flock", path: path) { shale_flock(raw, exclusive ? 1 : 0, 1) }
        }
        return FileLock(file, watch)
    }

    /// Waits for the lock of a directory itself, for which no file is made.
    ///
    /// Throws the error of opening the directory or of `flock(2)`.
    package static func waiting(onDirectory path: String) throws(SystemCallError) -> FileLock {
        let directory = try OwnedFD.open(path, O_RDONLY | O_DIRECTORY)
        let raw = directory.raw
        let watch = try LockWatch.waiting(for: path, exclusive: true) { () throws(SystemCallError) in
            try check("flock", path: path) { shale_flock(raw, 1, 1) }
        }
        return FileLock(directory, watch)
    }

    /// Takes the lock of a directory itself at once, or answers `nil` when another holds it.
    ///
    /// It is not observed: the log takes such a lock itself. Throws the error of opening the directory or of
    /// `flock(2)`.
    package static func trying(onDirectory path: String) throws(SystemCallError) -> FileLock? {
        let directory = try OwnedFD.open(path, O_RDONLY | O_DIRECTORY)
        if shale_flock(directory.raw, 1, 0) == 0 { return FileLock(directory) }
        let error = errno
        guard error == EWOULDBLOCK else { throw SystemCallError("flock", path: path, errno: error) }
        return nil
    }

    /// The locked file's inode, to tell whether the path still leads to it.
    ///
    /// Throws the error of reading the status.
    package func inode() throws(SystemCallError) -> UInt64 { try FileStatus.of(descriptor).inode }

    /// Whether another holds the lock of a file that is there.
    package static func isTaken(_ path: String) -> Bool {
        guard let file = try? OwnedFD.open(path, O_RDONLY) else { return false }
        return shale_flock(file.raw, 1, 0) != 0
    }

    /// Takes the lock at once, or answers `nil` when another holds it.
    ///
    /// Throws the error of opening the file or of `flock(2)`.
    package static func trying(_ path: String, exclusive: Bool) throws(SystemCallError) -> FileLock? {
        let file = try file(path)
        if shale_flock(file.raw, exclusive ? 1 : 0, 0) == 0 {
            return FileLock(file, LockWatch.taken(path, exclusive: exclusive))
        }
        let error = errno
        guard error == EWOULDBLOCK else { throw SystemCallError("flock", path: path, errno: error) }
        return nil
    }
}

/// Reports to a listener how long a lock was waited for and how long it was kept.
private final class LockWatch: Sendable {
    private let name: String
    private let since = SteadyTime.now()

    private init(_ name: String) { self.name = name }

    static func waiting(
        for path: String, exclusive: Bool, _ body: () throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> LockWatch? {
        guard Observer.isListening else {
            try body()
            return nil
        }
        let name = name(path, exclusive)
        try Observer.measure(.lock, "wait for \(name)", body)
        return LockWatch(name)
    }

    /// One that was free.
    static func taken(_ path: String, exclusive: Bool) -> LockWatch? {
        guard Observer.isListening else { return nil }
        let name = name(path, exclusive)
        Observer.note(.lock, "took \(name) at once")
        return LockWatch(name)
    }

    private static func name(_ path: String, _ exclusive: Bool) -> String {
        "\(path) (\(exclusive ? "exclusive" : "shared"))"
    }

    deinit {
        let held = Double(SteadyTime.now() &- since) / 1e6
        Observer.note(.lock, "let go of \(name), held \((held * 1000).rounded() / 1000) ms")
    }
}
