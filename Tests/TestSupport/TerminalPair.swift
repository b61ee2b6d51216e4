import Glibc

/// Both ends of a terminal inside the test's own process: what is written to one end shows on the screen.
package final class TerminalPair {
    package private(set) var screen: Screen
    /// The program's end: a terminal as far as `isatty` goes.
    package let descriptor: Int32
    private let master: Int32

    package init(columns: Int = 120, rows: Int = 24) throws {
        screen = Screen(columns: columns, rows: rows)
        let (master, path) = try Terminal.openTerminal(columns: columns, rows: rows)
        self.master = master
        descriptor = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TerminalError(description: "\(path) cannot be opened") }
    }

    deinit {
        close(descriptor)
        close(master)
    }

    /// Shows everything written so far.
    package func update() {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(master, &chunk, chunk.count)
            if count <= 0 { return }
            screen.feed(chunk[..<count])
        }
    }
}
