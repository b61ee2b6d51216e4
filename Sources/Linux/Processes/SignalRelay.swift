import CLinux
import Glibc

/// Signals caught for as long as this lives, read one by one from a pipe; the former handlers come back after.
///
/// For a program with threads, where blocking signals in all of them is not to be had. One at a time.
package struct SignalRelay: ~Copyable {
    private let pipe: PipeEnds

    /// Throws `EBUSY` while another is in use.
    package init(_ numbers: [Int32]) throws(SystemCallError) {
        pipe = try Self.open(numbers)
    }

    private static func open(_ numbers: [Int32]) throws(SystemCallError) -> PipeEnds {
        let pipe = try PipeEnds()
        pipe.reading.setNonblocking(true)
        pipe.writing.setNonblocking(true)
        let writing = pipe.writing.raw
        try check("sigaction") { shale_signal_pipe_open(numbers, numbers.count, writing) }
        return pipe
    }

    deinit { shale_signal_pipe_close() }

    /// Readable when a signal has come.
    package var descriptor: Int32 { pipe.reading.raw }

    /// The next signal, `nil` when none waits.
    package func next() -> Int32? {
        var byte: UInt8 = 0
        return Glibc.read(pipe.reading.raw, &byte, 1) == 1 ? Int32(byte) : nil
    }
}
