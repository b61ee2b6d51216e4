import Basics
import Glibc
import Synchronization

/// Where a debugged program stops, and whether it runs: shared by the thread that reads requests and the one that
/// carries steps out.
final class StopRules: Sendable {
    /// A breakpoint on a line, as the client wants it and as the program has it.
    struct LineBreakpoint: Sendable, Equatable {
        var id: Int64
        /// What the client asked for, counted from 1.
        var wanted: Int
        /// The first line of the instruction that was found; `nil` where there is none.
        var line: Int?
    }

    /// A breakpoint before each instruction, or command of a script, with this first word.
    struct WordBreakpoint: Sendable, Equatable {
        var id: Int64
        var word: String
    }

    private struct State {
        /// The file that is stepped through, without links in its path; `nil` before it is launched.
        var path: String?
        /// What the client calls the first line: 1, or 0.
        var firstLine = 1
        /// The pieces of the program; `nil` as long as none is launched.
        var units: [SteppedUnit]?
        var lines: [LineBreakpoint] = []
        var words: [WordBreakpoint] = []
        var lastID: Int64 = 0
        var stopsOnFailure = true
        var ignoresBreakpoints = false
        var isRunning = false
        var isPauseWanted = false
        var isLeaving = false
    }

    private let state = Mutex(State())

    // MARK: The file

    /// Says what the client calls the first line.
    func setFirstLine(_ number: Int) { state.withLock { $0.firstLine = number } }

    /// Says which file is stepped through.
    func setPath(_ path: String) { state.withLock { $0.path = Self.canonical(path) } }

    /// Whether a client's path is the file's; every path is, before the file is known.
    func isProgram(_ path: String?) -> Bool {
        guard let known = state.withLock({ $0.path }) else { return true }
        return path.map(Self.canonical) == known
    }

    /// A client's line counted from 1; 0 for what is none.
    func line(_ document: JSONDocument?) -> Int {
        guard case .integer(let number)? = document, let line = Int32(exactly: number) else { return 0 }
        return Int(line) + 1 - state.withLock { $0.firstLine }
    }

    /// A line as the client counts them.
    func shown(_ line: Int) -> Int { line - 1 + state.withLock { $0.firstLine } }

    private static func canonical(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    // MARK: Breakpoints

    /// The breakpoints of a kind that are kept; a file has fewer instructions.
    static let mostBreakpoints = 10_000

    /// Has these breakpoints on lines and no others; answers them in the order of the lines.
    func setLines(_ wanted: [Int]) -> [LineBreakpoint] {
        state.withLock { state in
            let starts = Self.starts(state.units)
            state.lines = wanted.prefix(Self.mostBreakpoints).map { line in
                state.lastID += 1
                return LineBreakpoint(id: state.lastID, wanted: line, line: Self.place(line, in: starts))
            }
            return state.lines
        }
    }

    /// Has these breakpoints on first words and no others.
    func setWords(_ words: [String]) -> [WordBreakpoint] {
        state.withLock { state in
            state.words = words.prefix(Self.mostBreakpoints).map { word in
                state.lastID += 1
                return WordBreakpoint(id: state.lastID, word: word.uppercased())
            }
            return state.words
        }
    }

    func setStopsOnFailure(_ stops: Bool) { state.withLock { $0.stopsOnFailure = stops } }

    /// A program begins; with `noDebug` it runs through without any stop.
    func begin(noDebug: Bool) {
        state.withLock { state in
            state.ignoresBreakpoints = noDebug
            state.isLeaving = false
        }
    }

    var stopsOnFailure: Bool { state.withLock { $0.stopsOnFailure && !$0.ignoresBreakpoints } }

    /// The program has these pieces now; answers the breakpoints whose line changed with that.
    func setUnits(_ units: [SteppedUnit]) -> [LineBreakpoint] {
        state.withLock { state in
            state.units = units
            let starts = Self.starts(units)
            var changed: [LineBreakpoint] = []
            for index in state.lines.indices {
                let line = Self.place(state.lines[index].wanted, in: starts)
                guard line != state.lines[index].line else { continue }
                state.lines[index].line = line
                changed.append(state.lines[index])
            }
            return changed
        }
    }

    /// The lines between two, both included, on which a program can stop.
    func stops(from first: Int, through last: Int) -> [Int] {
        state.withLock { state in
            (state.units ?? []).map(\.line).filter { $0 > 0 && first <= $0 && $0 <= last }
        }
    }

    /// The breakpoints that stop in front of a piece.
    func hits(_ unit: SteppedUnit) -> [Int64] {
        state.withLock { state in
            guard !state.ignoresBreakpoints else { return [] }
            let lines = state.lines.filter { $0.line == unit.line && unit.line > 0 }.map(\.id)
            return lines + state.words.filter { $0.word == unit.keyword }.map(\.id)
        }
    }

    /// A blank line or a comment means the instruction below it, a line inside one that instruction.
    ///
    /// `starts` are the first and last lines of the pieces, in order.
    private static func place(_ line: Int, in starts: [(first: Int, last: Int)]) -> Int? {
        guard line > 0 else { return nil }
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle].last < line { low = middle + 1 } else { high = middle }
        }
        return low < starts.count ? starts[low].first : nil
    }

    private static func starts(_ units: [SteppedUnit]?) -> [(first: Int, last: Int)] {
        (units ?? []).filter { $0.line > 0 }.map { (first: $0.line, last: $0.endLine) }.sorted { $0.last < $1.last }
    }

    // MARK: Running

    var isRunning: Bool { state.withLock { $0.isRunning } }

    func setRunning(_ runs: Bool) {
        state.withLock { state in
            state.isRunning = runs
            if !runs { state.isPauseWanted = false }
        }
    }

    /// Wants a stop before the next piece; false when nothing runs.
    func pause() -> Bool {
        state.withLock { state in
            state.isPauseWanted = state.isRunning
            return state.isRunning
        }
    }

    var isPauseWanted: Bool { state.withLock { $0.isPauseWanted } }

    /// The client wants no more, or is gone: no further piece is carried out, until another program begins.
    func leave() { state.withLock { $0.isLeaving = true } }

    var isLeaving: Bool { state.withLock { $0.isLeaving } }
}
