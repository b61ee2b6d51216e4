import CLinux
import Glibc

/// A pipe's two ends, both close-on-exec.
package struct PipeEnds: ~Copyable, Sendable {
    package let reading: OwnedFD
    package let writing: OwnedFD

    /// Makes a pipe.
    ///
    /// Throws the error of `pipe2(2)`.
    package init() throws(SystemCallError) {
        let ends = try Self.descriptors()
        reading = OwnedFD(adopting: ends.reading)
        writing = OwnedFD(adopting: ends.writing)
    }

    /// Both ends as numbers that the caller closes.
    ///
    /// Throws the error of `pipe(2)`.
    package static func descriptors() throws(SystemCallError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        try check("pipe") { shale_pipe(&ends) }
        return (ends[0], ends[1])
    }
}

extension OwnedFD {
    package func setNonblocking(_ on: Bool) {
        _ = shale_set_nonblocking(raw, on ? 1 : 0)
    }
}
