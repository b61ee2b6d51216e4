import Basics
import Explorer
import Glibc
import Lessons
import Linux
import Rendering
import ShellLanguage
import Synchronization

/// Runs a handout's blocks and compares what they print with what stands there.
///
/// Notes and errors belong to what a line prints, as `record --md` keeps them.
struct HandoutTest {
    private let path: String
    private let source: HandoutSource
    private let shell: ShellContext
    /// Seconds that a block may take.
    private let timeout: Double

    init(_ source: HandoutSource, path: String, timeout: Double, _ shell: ShellContext) {
        self.source = source
        self.path = path
        self.timeout = timeout
        self.shell = shell
    }

    /// What came of it.
    struct Result {
        /// A diff of each block that differs, each under a line with its place.
        var differences: [String] = []
        var differing = 0
        /// A line for each command that left a program behind which holds its output.
        var held: [String] = []
        /// The handout with what is printed now.
        var text = ""
    }

    /// Runs all blocks, one after the other.
    ///
    /// Throws `cancelled` when it is stopped, and what starting a thread throws.
    func run() throws(ShaleError) -> Result {
        let interpreter = Interpreter(shell)
        let watchdog = try Watchdog()
        defer { watchdog.end() }
        shell.heldOutputs = []
        defer { shell.heldOutputs = nil }
        var places: [(range: Range<Int>, lines: [String])] = []
        var result = Result()
        for block in source.blocks {
            let now = try lines(of: block, interpreter, watchdog)
            for command in shell.heldOutputs ?? [] {
                result.held.append(
                    "\(path.visible):\(block.content.lowerBound + 1): block \(block.number): a program that this line "
                        + "started still held its output when the line ended: \(command.visible)")
            }
            shell.heldOutputs = []
            let before = Array(source.handout.lines[block.content])
            if now != before {
                result.differing += 1
                result.differences.append(
                    "\(path.visible):\(block.content.lowerBound + 1): block \(block.number) prints something else:")
                result.differences += UnifiedDiff.lines(
                    Self.bytes(before), Self.bytes(now), names: (old: "written", new: "printed")
                ).map(\.visible)
            }
            places.append((block.content, now))
            if interpreter.leaving != nil { break }
        }
        result.text = source.handout.replacing(places)
        return result
    }

    /// A block as it would stand there now.
    private func lines(
        of block: HandoutSource.Block, _ interpreter: Interpreter, _ watchdog: Watchdog
    ) throws(ShaleError) -> [String] {
        let lines = source.handout.lines
        var now: [String] = []
        var position = block.content.lowerBound
        watchdog.begin(seconds: timeout)
        defer { watchdog.rest() }
        for command in block.commands {
            let first = command.line.text.split(separator: "\n").first.map(String.init) ?? ""
            watchdog.say(
                "\(path.visible):\(command.line.number): block \(block.number) was stopped: it took longer than "
                    + "\(HumanUnits.duration(seconds: timeout).lowercased()), in: \(first.visible)")
            let shown = ReplayComparison.heard(command.line, interpreter, shell, withErrors: true)
            now += lines[position..<command.output.lowerBound]
            now += ReplayComparison.aligned(command.line.expected, Self.withoutLastBlanks(shown.lines))
            position = command.output.upperBound
            if interpreter.leaving != nil { break }
            if shell.cancellation.isCancelled { throw ShaleError(.cancelled, "interrupted") }
        }
        return now + lines[position..<block.content.upperBound]
    }

    private static func withoutLastBlanks(_ lines: [String]) -> [String] {
        var lines = lines[...]
        while let last = lines.last, last.trimmingBlanks.isEmpty { lines.removeLast() }
        return Array(lines)
    }

    private static func bytes(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
}

/// Ends this process, and what it started beside it, when a piece of work takes too long: a program that hangs can be
/// asked in no other way.
final class Watchdog: Sendable {
    private struct State {
        var message = ""
        /// `nil` where nothing is under way.
        var deadline: Double?
        var isOver = false
    }

    private let state = Mutex(State())
    /// Microseconds between two looks.
    private static let pause: UInt32 = 50_000

    /// Throws what starting a thread throws.
    init() throws(ShaleError) {
        _ = try WorkerThread { [self] in
            while !state.withLock({ $0.isOver }) {
                usleep(Self.pause)
                look()
            }
        }
    }

    func begin(seconds: Double) {
        let deadline = ProgressView.monotonicSeconds() + seconds
        state.withLock { $0.deadline = deadline }
    }

    /// What to say when it is too late.
    func say(_ message: String) { state.withLock { $0.message = message } }
    func rest() { state.withLock { $0.deadline = nil } }
    func end() { state.withLock { $0.isOver = true } }

    private func look() {
        let late = state.withLock { state -> String? in
            guard let deadline = state.deadline, ProgressView.monotonicSeconds() > deadline else { return nil }
            return state.message
        }
        guard let late else { return }
        Console().line(late)
        // `test` gave this process a group of its own.
        if getpid() == getpgrp() { kill(0, SIGKILL) }
        _exit(1)
    }
}
