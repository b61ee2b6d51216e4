import Basics
import Glibc
import Layers
import Linux

extension FDSource {
    /// A file the user named.
    convenience init(opening path: String) throws(ShaleError) {
        do throws(SystemCallError) {
            self.init(try OwnedFD.open(path, O_RDONLY), subject: path)
        } catch {
            throw error.cancelled
                ?? ShaleError(error.errno == ENOENT ? .notFound : .io, "open \(path)", cause: error.reason)
        }
    }

    /// A command's standard input, which stays open.
    convenience init(duplicating descriptor: Int32, subject: String) throws(ShaleError) {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemCallError("dup").shaleError(subject) }
        self.init(OwnedFD(adopting: copy), subject: subject)
    }
}

extension FileStatus {
    /// Of a descriptor that someone else owns.
    static func of(descriptor: Int32) throws(SystemCallError) -> FileStatus {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemCallError("dup") }
        return try of(OwnedFD(adopting: copy))
    }
}
