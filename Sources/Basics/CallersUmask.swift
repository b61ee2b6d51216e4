import Glibc

/// The umask of whoever started this process.
///
/// It is for the files that are made for that person: archives, recipes, recordings, what `>` writes. What an image, a
/// container or a volume holds does not depend on it: the process itself works with 022, as docker's daemon does.
package enum CallersUmask {
    /// The caller's umask; the first use replaces it for this process.
    package static let value: UInt32 = UInt32(umask(0o022))

    /// Begins to work with 022.
    package static func replace() { _ = value }

    /// The mode of a file that is made for the person.
    package static func applied(to mode: UInt32) -> UInt32 { mode & ~value }

    /// Starts a program of the person's, or makes a file of theirs, with the person's umask.
    ///
    /// Throws what `body` throws.
    package static func restored<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let own = umask(mode_t(value))
        defer { umask(own) }
        return try body()
    }
}
