import CLinux
import Glibc

/// A new pseudo terminal of a devpts instance.
package struct PseudoTerminal: ~Copyable {
    package let master: OwnedFD
    package let slave: OwnedFD

    /// Opens the multiplexer at a path, for one whose root this process already is in.
    ///
    /// Throws the error of opening the multiplexer or the slave.
    package init(multiplexer path: String) throws(SystemCallError) {
        try self.init(master: OwnedFD.open(path, O_RDWR | O_NOCTTY))
    }

    /// Takes an open multiplexer; the slave comes from it and not from a path that someone may have changed.
    ///
    /// Throws the error of unlocking or opening the slave.
    package init(master: consuming OwnedFD) throws(SystemCallError) {
        let raw = master.raw
        try check("unlockpt") { shale_pty_unlock(raw) }
        slave = OwnedFD(adopting: try check("ptypeer") { shale_pty_peer(raw) })
        self.master = master
    }

    /// Gives both numbers to the caller, who closes them.
    package consuming func release() -> (master: Int32, slave: Int32) {
        (master.release(), slave.release())
    }

    /// Makes a slave the controlling terminal of this session, which must have none; -1 with errno on failure.
    package static func takeControl(_ slave: Int32) -> Int32 { shale_tty_control(slave) }
}
