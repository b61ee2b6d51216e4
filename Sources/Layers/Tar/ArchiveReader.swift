package import Basics

/// Reads the members of an archive, which may be compressed, without unpacking it.
package final class ArchiveReader {
    private let stream: UnpackedStream
    private let reader: TarReader

    /// Reads a tar with any known compression.
    ///
    /// `subject` is the name in errors.
    ///
    /// Throws `io` when no thread can be started.
    package init(
        _ source: any ByteSource, subject: String, limits: UnpackLimits = .standard,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) {
        stream = try UnpackedStream(
            source, subject: subject, limits: limits, hashing: false, cancellation: cancellation)
        reader = TarReader(stream, subject: subject, limits: limits)
    }

    deinit { stream.close() }

    /// The next member; `nil` at the end.
    ///
    /// Unread data of the last member is skipped.
    ///
    /// Throws `corrupt` when the archive is damaged, and what reading the source throws.
    package func next() throws(ShaleError) -> TarEntry? { try reader.next() }

    /// Passes the bytes of the current file to `body`.
    ///
    /// Holes are left out.
    ///
    /// Throws `corrupt` when the archive is damaged, and what reading the source or `body` throws.
    package func readData(
        _ body: (_ offset: Int64, _ bytes: UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) { try reader.readData(body) }

    /// All bytes of the current file.
    ///
    /// Throws `corrupt` for more than `limit` bytes or a damaged archive, and what reading the source throws.
    package func contents(limit: Int) throws(ShaleError) -> [UInt8] { try reader.contents(limit: limit) }
}
