import Basics
import Glibc

/// When a log that any number of processes append to begins anew, and how many older files of it are kept.
package struct FileRotation: Sendable {
    package let path: String
    /// The size in bytes at which the file is renamed and a new one begins.
    package let size: Int64
    /// How many older files are kept: `.1`, the youngest, and so on.
    package let kept: Int

    package init(_ path: String, size: Int64 = 4 << 20, kept: Int = 3) {
        self.path = path
        self.size = size
        self.kept = kept
    }

    /// Renames the file where it is long, unless another process is doing it or has done it.
    package func rotateIfLong() {
        guard isLong, let lock = try? FileLock.trying(onDirectory: path.parentPath), isLong else { return }
        for number in stride(from: kept, to: 1, by: -1) { _ = rename("\(path).\(number - 1)", "\(path).\(number)") }
        _ = kept > 0 ? rename(path, "\(path).1") : unlink(path)
        withExtendedLifetime(lock) {}
    }

    private var isLong: Bool { ((try? FileStatus.of(hostPath: path))?.size ?? 0) >= size }
}
