import Glibc
import Synchronization

/// Whether the terminal's cursor stands at the left edge: a prompt begins on a line of its own.
package enum FreshLine {
    private enum State {
        case fresh
        /// The last character written was not a newline.
        case open
        /// Another program wrote: a host command or a container.
        case unknown
    }

    private static let state = Mutex(State.fresh)
    /// Which of the standard streams lead to a terminal.
    private static let terminals: Set<Int32> = Set([Int32(1), 2].filter { isatty($0) == 1 })

    /// Takes note of what shale itself writes.
    static func wrote(_ last: UInt8?, to descriptor: Int32) {
        guard let last, terminals.contains(descriptor) else { return }
        state.withLock { $0 = last == UInt8(ascii: "\n") ? .fresh : .open }
    }

    /// Says that others may have written to the terminal.
    package static func isUnknown() { state.withLock { $0 = .unknown } }

    /// Moves to a line of its own, where output without a newline at its end stands before the cursor; a dim `⏎` tells.
    ///
    /// The mark and the spaces behind it fill a row: from the left edge they end on that row, which is cleared again,
    /// from any other place on the next one. So nobody has to know where the cursor is.
    package static func begin(on console: Console) {
        let now = state.withLock { state in
            defer { state = .fresh }
            return state
        }
        if now == .fresh { return }
        guard console.canRedraw(.output), let columns = console.size(.output)?.columns, columns > 1 else {
            if now == .open, console.isTerminal(.output) { console.write("\n") }
            return
        }
        let mark = console.styled("⏎", .dim, on: .output)
        console.write("\(mark)\(String(repeating: " ", count: columns - 1))\r\u{1b}[K")
        state.withLock { $0 = .fresh }
    }
}
