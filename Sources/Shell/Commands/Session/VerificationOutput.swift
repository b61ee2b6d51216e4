import Basics
import Building
import Synchronization

/// The output of `recipe verify` about its build: one line for each step, and the output of a step only when the build
/// fails.
final class VerificationOutput: Sendable {
    /// How much of one step's output is kept for that, in bytes; the end of it counts.
    private static let kept = 64 << 10

    private struct State {
        var said: [Progress] = []
        var bytes = 0
    }

    private let operation: OperationContext
    private let state = Mutex(State())

    init(_ operation: OperationContext) { self.operation = operation }

    var context: OperationContext {
        OperationContext(cancellation: operation.cancellation) { [self] progress in hear(progress) }
    }

    private func hear(_ progress: Progress) {
        switch progress {
        case .line(let text, .step):
            state.withLock { $0 = State() }
            let first = text.split(separator: "\n").first.map(String.init) ?? text
            operation.line(Secrets.masked(first).text, .step)
        case .line(let text, _): keep(progress, text.utf8.count)
        case .note(let text, _): keep(progress, text.utf8.count)
        case .output(let bytes, _): keep(.output(bytes, isError: true), bytes.count)
        // Fetching the base may take long.
        case .item, .bytes: operation.tell(progress)
        }
    }

    private func keep(_ progress: Progress, _ count: Int) {
        state.withLock { state in
            state.said.append(progress)
            state.bytes += count
            while state.bytes > Self.kept, state.said.count > 1 { state.bytes -= Self.size(state.said.removeFirst()) }
        }
    }

    private static func size(_ progress: Progress) -> Int {
        switch progress {
        case .line(let text, _), .note(let text, _): text.utf8.count
        case .output(let bytes, _): bytes.count
        case .item, .bytes: 0
        }
    }

    /// Calls `body` with one line for each step; the output of a step is printed only when it fails.
    static func briefly<Result>(
        _ operation: OperationContext, _ body: (OperationContext) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let voice = VerificationOutput(operation)
        do throws(ShaleError) {
            return try body(voice.context)
        } catch {
            if error.code != .cancelled { voice.tellLastStep() }
            throw error
        }
    }

    /// Prints the output of the step that failed.
    func tellLastStep() {
        let said = state.withLock { state in
            defer { state = State() }
            return state.said
        }
        for progress in said { operation.tell(progress) }
    }
}
