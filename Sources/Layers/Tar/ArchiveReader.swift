package import Basics

/// The members of an archive, packed or not, one after the other: for whoever looks into one without unpacking it.
package final class ArchiveReader {
    private let stream: UnpackedStream
    private let reader: TarReader

    /// `subject` is how errors call the archive; a `.tar` in any of the known compressions.
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

    /// The next member, or `nil` at the end; what is unread of the last one is skipped.
    ///
    /// Throws `corrupt` when the archive is damaged, and what reading the source throws.
    package func next() throws(ShaleError) -> TarEntry? { try reader.next() }

    /// Hands the current file's bytes on; holes are left out.
    ///
    /// Throws `corrupt` when the archive is damaged, and what reading the source or `body` throws.
    package func readData(
        _ body: (_ offset: Int64, _ bytes: UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) { try reader.readData(body) }

    /// The current file's bytes; more than `limit` is an error.
    ///
    /// Throws `corrupt` in that case or when the archive is damaged, and what reading the source throws.
    package func contents(limit: Int) throws(ShaleError) -> [UInt8] { try reader.contents(limit: limit) }
}
