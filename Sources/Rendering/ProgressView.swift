package import Basics
import Glibc
import Synchronization

/// Shows the progress of a long operation as docker does.
///
/// On a terminal the items' lines are redrawn in place, with a last line for the whole; elsewhere every change of state
/// is a line and the bytes are not shown. Called from any thread; call ``finish()`` when the operation is over.
package final class ProgressView: Sendable {
    private struct Item {
        var state: String
        var current: Int64 = 0
        var total: Int64?
        var hasBytes = false
        var isDirty = true
    }

    private struct State {
        var order: [String] = []
        var items: [String: Item] = [:]
        /// Item lines on the screen above the cursor, and whether the summary is drawn below them.
        var drawn = 0
        var hasSummary = false
        /// Whether raw output left the cursor in the middle of a line.
        var isMidLine = false
        var lastDraw = 0.0
        var started: Double?
        /// Bytes already done when the clock started: resumed downloads do not count as speed.
        var startedAt: Int64 = 0
        var isFinished = false
    }

    private let console: Console
    private let lines: Console.Stream
    private let itemStream: Console.Stream
    private let isQuiet: Bool
    private let redraws: Bool
    private let clock: @Sendable () -> Double
    private let state = Mutex(State())

    /// Seconds between two drawings that show nothing but bytes.
    private static let interval = 0.06

    /// - Parameters:
    ///   - console: Where it is shown.
    ///   - lines: The stream of the operation's own lines: results for `pull`, errors for the pull inside `run`.
    ///   - items: The stream of the items' states.
    ///   - isQuiet: `-q`: nothing but raw output and notes is shown.
    ///   - clock: Seconds, never going back.
    package init(
        console: Console, lines: Console.Stream = .output, items: Console.Stream = .errors, isQuiet: Bool = false,
        clock: @escaping @Sendable () -> Double = ProgressView.monotonicSeconds
    ) {
        self.console = console
        self.lines = lines
        self.itemStream = items
        self.isQuiet = isQuiet
        self.clock = clock
        redraws = console.canRedraw(items)
    }

    /// The sink to hand to an operation.
    package var sink: ProgressSink { { [self] progress in show(progress) } }

    /// Shows one event.
    package func show(_ progress: Progress) {
        state.withLock { state in
            switch progress {
            case .line(let text, _):
                if isQuiet { return }
                freeze(&state)
                console.write(text.visibleLines + "\n", to: lines)
            case .note(let text, _):
                freeze(&state)
                console.note(text)
            case .output(let bytes, let isError):
                freeze(&state)
                console.write(bytes, to: isError ? .errors : .output)
                if let last = bytes.last { state.isMidLine = last != 10 }
            case .item(let id, let text):
                if !isQuiet { change(&state, id: id, text) }
            case .bytes(let id, let text, let current, let total):
                if !isQuiet { advance(&state, id: id, text, current, total) }
            }
        }
    }

    /// Draws what is still undrawn and takes the summary away; later events only print lines.
    package func finish() {
        state.withLock { state in
            freeze(&state)
            state.isFinished = true
        }
    }

    /// `CLOCK_MONOTONIC` in seconds.
    package static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Events

    private func change(_ state: inout State, id: String, _ text: String) {
        let old = state.items[id]
        if !redraws || state.isFinished {
            // One line per change, and none for one that only repeats.
            if old?.state != text { console.write("\(id.visible): \(text.visible)\n", to: itemStream) }
            state.items[id] = Item(state: text)
            return
        }
        // Recordings keep the words, which are the same wherever they replay.
        if old?.state != text { console.observe(words: "\(id.visible): \(text.visible)\n", itemStream) }
        if old == nil { state.order.append(id) }
        var item = old ?? Item(state: text)
        item.state = text
        item.hasBytes = false
        item.isDirty = true
        state.items[id] = item
        draw(&state)
    }

    private func advance(_ state: inout State, id: String, _ text: String, _ current: Int64, _ total: Int64?) {
        guard redraws, !state.isFinished else { return }
        if state.items[id] == nil { state.order.append(id) }
        var item = state.items[id] ?? Item(state: text)
        let isNewState = item.state != text || !item.hasBytes
        // The next part of one item's work has its own rate.
        if isNewState, state.order.count == 1 { state.started = nil }
        item.state = text
        item.current = current
        item.total = total
        item.hasBytes = true
        item.isDirty = true
        state.items[id] = item
        if state.started == nil {
            state.started = clock()
            state.startedAt = current
        }
        if isNewState || clock() - state.lastDraw >= Self.interval { draw(&state) }
    }

    // MARK: Drawing

    /// Redraws the changed lines in place and the summary below them.
    private func draw(_ state: inout State) {
        let size = console.size(itemStream) ?? (columns: 80, rows: 24)
        var out = ""
        if state.isMidLine {
            out += "\n"
            state.isMidLine = false
        }
        if state.hasSummary { out += "\u{1b}[1A\u{1b}[2K\r" }
        // Lines that left the top of the screen cannot be reached any more: they keep what they show.
        let reachable = max(1, size.rows - 2)
        for (index, id) in state.order.enumerated() {
            guard var item = state.items[id], item.isDirty else { continue }
            let text = line(id, item, width: size.columns)
            if index < state.drawn {
                let up = state.drawn - index
                if up <= reachable { out += "\u{1b}[\(up)A\u{1b}[2K\r\(text)\r\u{1b}[\(up)B" }
            } else {
                out += "\u{1b}[2K\r\(text)\n"
                state.drawn += 1
            }
            item.isDirty = false
            state.items[id] = item
        }
        let summary = summary(state)
        state.hasSummary = !summary.isEmpty
        if state.hasSummary { out += "\u{1b}[2K\r\(summary.fitting(columns: size.columns - 1))\n" }
        state.lastDraw = clock()
        console.draw(out, to: itemStream)
    }

    private func line(_ id: String, _ item: Item, width: Int) -> String {
        var text = "\(id.visible): \(item.state.visible)"
        if item.hasBytes {
            let bar = ProgressBar.text(current: item.current, total: item.total, width: width)
            if !bar.isEmpty { text += " " + bar }
        }
        // A line that wraps would spoil the count of lines to go up.
        return text.fitting(columns: max(1, width - 1))
    }

    private func summary(_ state: State) -> String {
        guard let started = state.started else { return "" }
        let items = state.order.compactMap { state.items[$0] }
        guard items.contains(where: \.hasBytes) else { return "" }
        let current = items.reduce(Int64(0)) { $0 &+ max(0, $1.current) }
        let total = items.reduce(Int64(0)) { $0 &+ max(0, $1.total ?? 0) }
        if current == 0, total == 0 { return "" }
        let isKnown = items.allSatisfy { $0.total != nil || !$0.hasBytes } && total >= current
        let elapsed = clock() - started
        let rate = elapsed > 0.3 ? Double(current &- state.startedAt) / elapsed : 0
        return ProgressBar.summary(current: current, total: total, isTotalKnown: isKnown, rate: rate)
    }

    /// Brings the items' lines up to date and leaves them behind: what comes next is printed below them.
    private func freeze(_ state: inout State) {
        if redraws, !state.order.isEmpty {
            draw(&state)
            if state.hasSummary { console.draw("\u{1b}[1A\u{1b}[2K\r", to: itemStream) }
        }
        state.order = []
        if redraws { state.items = [:] }
        state.drawn = 0
        state.hasSummary = false
        state.started = nil
    }
}
