package import Basics
import CLinux
import Glibc

extension OwnedFD {
    /// `O_PATH`.
    package static var pathOnly: Int32 { shale_o_path() }

    /// Sets a directory's modification time back to what it was; a failure is ignored.
    package func restoreModified(_ time: Timestamp) {
        _ = shale_utimens_restore(raw, time.seconds, Int64(time.nanoseconds))
    }
}

/// Device nodes.
package enum FileNodes {
    /// Makes a node below an open directory; false with `errno` set when that fails.
    package static func make(
        _ name: String, in directory: borrowing OwnedFD, mode: UInt32, major: UInt32, minor: UInt32
    ) -> Bool {
        let raw = directory.raw
        return name.withPath { shale_mknodat(raw, $0, mode, major, minor) } == 0
    }
}
