package import Basics
package import Linux

/// A sequential source of bytes: a file, a download or memory.
///
/// An unpacker reads its source on its own thread, with one call at a time, and only while it runs.
package protocol ByteSource: AnyObject {
    /// Reads bytes into the buffer and returns their number; 0 at the end.
    ///
    /// Throws what reading throws.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int
}

/// The bytes of a file from the current position of its descriptor.
package final class FDSource: ByteSource {
    private let descriptor: OwnedFD
    private let subject: String

    /// `subject` is the name in errors, such as `layer sha256:…`.
    package init(_ descriptor: consuming OwnedFD, subject: String) {
        self.descriptor = descriptor
        self.subject = subject
    }

    /// Throws `cancelled` when the process is told to stop, and the error of reading the file.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        do throws(SystemCallError) {
            // The writer of a pipe may take any time.
            try descriptor.waitForInput()
            return try descriptor.read(into: buffer)
        } catch {
            throw error.shaleError(subject)
        }
    }
}

/// Bytes in memory.
package final class BytesSource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Throws nothing: the bytes are in memory.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        let count = min(buffer.count, bytes.count - position)
        bytes.withUnsafeBytes { all in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[position..<position + count]))
        }
        position += count
        return count
    }
}

/// Bytes that a closure hands out.
package final class ClosureSource: ByteSource {
    private let body: (UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int

    package init(_ body: @escaping (UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int) { self.body = body }

    /// Throws what the closure throws.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int { try body(buffer) }
}
