import Glibc

/// An open descriptor that somebody else closes: a standard stream, a terminal, a client's pipe.
package struct BorrowedFD: Sendable {
    package let raw: Int32

    package init(_ raw: Int32) { self.raw = raw }

    /// Writes all of it; waits where somebody made the descriptor non-blocking and it takes no more now.
    ///
    /// Throws the error of `write(2)`: `EPIPE` where the reader has gone.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
        try all(bytes.count, "write") { start in
            Glibc.write(raw, bytes.baseAddress?.advanced(by: start), bytes.count - start)
        }
    }

    /// Writes all of the bytes, as the other form does.
    ///
    /// Throws the error of `write(2)`.
    package func write(_ bytes: [UInt8]) throws(SystemCallError) {
        try all(bytes.count, "write") { start in
            bytes.withUnsafeBytes { Glibc.write(raw, $0.baseAddress?.advanced(by: start), $0.count - start) }
        }
    }

    /// Makes a system call, which gets the place of the next byte, until it has taken all of `count` bytes.
    func all(_ count: Int, _ call: String, _ body: (_ start: Int) -> Int) throws(SystemCallError) {
        var start = 0
        while start < count {
            let done = body(start)
            if done >= 0 {
                start += done
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = Poller.wait(for: raw, events: .output, milliseconds: -1)
            default: throw SystemCallError(call)
            }
        }
    }
}
