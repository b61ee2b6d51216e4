import Basics

/// Limits above which an archive is refused, because archives come from sources that are not trusted.
package struct UnpackLimits: Sendable {
    /// Members of one archive.
    package var entries: Int
    /// Bytes of a member's path or link target.
    package var pathLength: Int
    /// Bytes of one extended header (PAX records, GNU long names).
    package var headerLength: Int
    /// Unpacked bytes of one archive.
    package var totalBytes: Int64
    /// Unpacked bytes for each packed one, looked at once more than `ratioFreeBytes` were unpacked.
    package var ratio: Int64
    package var ratioFreeBytes: Int64

    /// Far above any real layer: 2 million members, 512 GiB, and 400:1 beyond the first 4 GiB.
    package static let standard = UnpackLimits(
        entries: 2_000_000, pathLength: 4095, headerLength: 1 << 20, totalBytes: 512 << 30, ratio: 400,
        ratioFreeBytes: 4 << 30)

    package init(
        entries: Int, pathLength: Int, headerLength: Int, totalBytes: Int64, ratio: Int64, ratioFreeBytes: Int64
    ) {
        self.entries = entries
        self.pathLength = pathLength
        self.headerLength = headerLength
        self.totalBytes = totalBytes
        self.ratio = ratio
        self.ratioFreeBytes = ratioFreeBytes
    }

    /// Throws once so many bytes came out of so few.
    func check(unpacked: Int64, packed: Int64, subject: String) throws(ShaleError) {
        guard unpacked <= totalBytes else {
            throw ShaleError(.corrupt, "\(subject): unpacks to more than \(totalBytes) bytes")
        }
        guard unpacked <= ratioFreeBytes || unpacked / max(packed, 1) <= ratio else {
            throw ShaleError(
                .corrupt, "\(subject): decompression bomb",
                cause: "\(unpacked) bytes out of \(packed), more than \(ratio) for one")
        }
    }
}
