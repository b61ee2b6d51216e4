package import Basics
import Glibc
package import Linux
package import OCI

/// Where finished bytes go, in pieces, in order.
package typealias ByteSink = (UnsafeRawBufferPointer) throws(ShaleError) -> Void

/// Writes a tar archive to a sink, hashed as it streams.
///
/// Files are read straight into the buffer that is hashed and handed on.
package final class TarWriter {
    private let sink: ByteSink
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
    private var used = 0
    private var hasher = DigestHasher()

    package init(to sink: @escaping ByteSink) { self.sink = sink }

    deinit { buffer.deallocate() }

    /// Writes a member without data.
    ///
    /// Throws what the sink throws.
    package func add(_ entry: TarEntry) throws(ShaleError) {
        try append(TarHeaderWriter.blocks(for: entry))
    }

    /// Writes a file out of memory.
    ///
    /// Throws what the sink throws.
    package func add(_ entry: TarEntry, contents: [UInt8]) throws(ShaleError) {
        var entry = entry
        entry.size = Int64(contents.count)
        try add(entry)
        try append(contents)
        try pad(entry.size)
    }

    /// Writes a file out of a descriptor, exactly `entry.size` bytes, and returns the contents' hash if asked.
    ///
    /// A file that turns out shorter is an error, one that grew is cut. Throws `conflict` when the file is shorter, and
    /// what reading the file or the sink throws.
    @discardableResult
    package func add(
        _ entry: TarEntry, from file: borrowing OwnedFD, hashing: Bool = false
    ) throws(ShaleError) -> ContentHash? {
        try add(entry, hashing: hashing) { target throws(ShaleError) in
            do throws(SystemCallError) {
                return try file.read(into: target)
            } catch {
                throw error.shaleError(entry.pathText)
            }
        }
    }

    /// Writes a file that a closure fills buffers with, exactly `entry.size` bytes.
    ///
    /// Throws `conflict` when there are fewer, and what `read` or the sink throws.
    @discardableResult
    package func add(
        _ entry: TarEntry, hashing: Bool = false,
        reading read: (UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int
    ) throws(ShaleError) -> ContentHash? {
        try add(entry)
        var hash = DigestHasher()
        var left = entry.size
        while left > 0 {
            if used == buffer.count { try flush() }
            let room = Int(min(Int64(buffer.count - used), left))
            let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + room]))
            guard count > 0 else {
                throw ShaleError(.conflict, "\(entry.pathText): file changed while it was read", cause: "it shrank")
            }
            if hashing { hash.update(UnsafeRawBufferPointer(rebasing: buffer[used..<used + count])) }
            used += count
            left -= Int64(count)
        }
        try pad(entry.size)
        return hashing ? hash.contentHash() : nil
    }

    /// Ends the archive; returns the digest and count of all its bytes.
    ///
    /// Throws what the sink throws.
    package func finish() throws(ShaleError) -> (digest: Digest, size: Int64) {
        try append(TarHeaderWriter.endOfArchive)
        try flush()
        return (hasher.digest(), hasher.count)
    }

    private func pad(_ size: Int64) throws(ShaleError) {
        try append([UInt8](repeating: 0, count: Int((512 - size % 512) % 512)))
    }

    private func append(_ bytes: [UInt8]) throws(ShaleError) {
        var start = 0
        while start < bytes.count {
            if used == buffer.count { try flush() }
            let part = min(buffer.count - used, bytes.count - start)
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + part])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + part]))
            }
            used += part
            start += part
        }
    }

    private func flush() throws(ShaleError) {
        guard used > 0 else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        hasher.update(bytes)
        used = 0
        try sink(bytes)
    }
}
