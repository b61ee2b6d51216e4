package import Basics
import Glibc
package import Linux
package import OCI

/// Receives the bytes of an archive in pieces, in order.
package typealias ByteSink = (UnsafeRawBufferPointer) throws(ShaleError) -> Void

/// Writes a tar archive to a sink, and hashes it at the same time.
///
/// Files are read directly into the buffer that is hashed and passed on.
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

    /// Writes a file from memory.
    ///
    /// Throws what the sink throws.
    package func add(_ entry: TarEntry, contents: [UInt8]) throws(ShaleError) {
        var entry = entry
        entry.size = Int64(contents.count)
        try add(entry)
        try append(contents)
        try pad(entry.size)
    }

    /// Writes exactly `entry.size` bytes of a file from a descriptor, and returns the hash of its content on request.
    ///
    /// Of a file that has grown only the first bytes are written. Throws `conflict` when the file is shorter, and what
    /// reading the file or the sink throws.
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

    /// Writes exactly `entry.size` bytes of a file, which a closure reads into buffers.
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

    /// Ends the archive, and returns the digest and the number of all its bytes.
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
