import CLinux
import Glibc

/// Rows and columns of a terminal.
package struct TerminalSize: Sendable, Hashable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// A terminal behind a descriptor: its size and its modes.
package enum Terminal {
    package static func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }

    /// `nil` for what is not a terminal, or one that does not know its size.
    package static func size(of fd: Int32) -> TerminalSize? {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        guard shale_tty_size(fd, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        return TerminalSize(rows: rows, columns: columns)
    }

    package static func resize(_ fd: Int32, to size: TerminalSize) {
        _ = shale_tty_resize(fd, size.rows, size.columns)
    }
}

/// A terminal in raw mode; as it was before when let go.
package struct RawTerminal: ~Copyable {
    private let fd: Int32
    private let saved: termios

    /// Throws `ENOTTY` for what is not a terminal.
    package init(_ fd: Int32) throws(SystemCallError) {
        let modes = try Self.modes(of: fd)
        var raw = modes
        cfmakeraw(&raw)
        try check("tcsetattr") { tcsetattr(fd, TCSADRAIN, &raw) }
        saved = modes
        self.fd = fd
    }

    private static func modes(of fd: Int32) throws(SystemCallError) -> termios {
        var modes = termios()
        try check("tcgetattr") { tcgetattr(fd, &modes) }
        return modes
    }

    deinit { restore() }

    /// Puts the modes back now.
    package func restore() {
        var modes = saved
        // With everything the container wrote already on its way, so that the prompt does not overtake it.
        tcsetattr(fd, TCSADRAIN, &modes)
    }
}
