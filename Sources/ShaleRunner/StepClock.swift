import Basics
import Glibc
import Linux
import RunnerProtocol
import Synchronization

/// How long each step of starting a container took, where the plan asks for it.
enum StepClock {
    private struct State {
        var times: [StepTime]?
        var isOfChild = false
    }

    private static let state = Mutex(State())

    /// Begins to keep times, in the process that calls it; those of its parent are its parent's.
    static func start(isOfChild: Bool) {
        state.withLock { $0 = State(times: [], isOfChild: isOfChild) }
    }

    static var isRunning: Bool { state.withLock { $0.times != nil } }

    static func add(_ step: String, _ path: String?, begin: UInt64) {
        let end = SteadyTime.now()
        state.withLock { state in
            let time = StepTime(step: step, path: path ?? "", begin: begin, end: end, isOfChild: state.isOfChild)
            state.times?.append(time)
        }
    }

    /// Times that a child told, and how long it took from the last of them to the program's start.
    static func take(_ times: [StepTime]) {
        guard isRunning, let last = times.last else { return }
        let start = StepTime(
            step: "exec", path: "", begin: last.end, end: max(last.end, SteadyTime.now()), isOfChild: true)
        state.withLock { $0.times?.append(contentsOf: times + [start]) }
    }

    /// The times so far as a message, none where none are kept; they are told once.
    static func message() -> Message? {
        state.withLock { state in
            guard let times = state.times else { return nil }
            state.times = nil
            return times.isEmpty ? nil : .steps(times)
        }
    }

    static func report(to socket: Int32) {
        if let message = message() { try? UnixSocket.send(message.frame(), to: socket) }
    }
}

/// Gives a step its name, for an error, and measures how long it takes.
@discardableResult
func step<Result: ~Copyable>(
    _ name: String, _ path: String? = nil, _ body: () throws(SystemCallError) -> Result
) throws(StepFailure) -> Result {
    let begin = StepClock.isRunning ? SteadyTime.now() : nil
    defer { if let begin { StepClock.add(name, path, begin: begin) } }
    do throws(SystemCallError) {
        return try body()
    } catch {
        throw StepFailure(name, error, path: path)
    }
}
