import Basics
import Glibc
import Linux
import RunnerProtocol

/// A connection to a runner.
final class RunnerConnection: @unchecked Sendable {
    // Unchecked: only the thread that started the runner or attached to it uses the connection.
    let socket: OwnedFD
    private var parser = FrameParser()
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(_ socket: consuming OwnedFD) { self.socket = socket }

    /// Connects to the runner of a running container.
    ///
    /// Throws `notFound` when no runner listens.
    convenience init(folder: String) throws(ShaleError) {
        do throws(SystemCallError) {
            self.init(try UnixSocket.connect(in: folder, name: "control.sock"))
        } catch {
            guard error.errno == ENOENT || error.errno == ECONNREFUSED else {
                throw error.shaleError("container control socket")
            }
            throw ShaleError(.notFound, "container is not running")
        }
    }

    func send(_ message: Message) throws(ShaleError) {
        do throws(SystemCallError) {
            try UnixSocket.send(message.frame(), to: socket.raw)
        } catch {
            throw error.shaleError("container runner")
        }
    }

    /// Waits for the next message; `nil` at the end.
    func receive() throws(ShaleError) -> Message? {
        while true {
            if let message = try parsed() { return message }
            guard try fill() else { return nil }
        }
    }

    /// A message that was already read; `nil` when there is none.
    func parsed() throws(ShaleError) -> Message? {
        do throws(WireError) {
            return try parser.next()
        } catch {
            throw ShaleError(.corrupt, "container runner: unintelligible answer")
        }
    }

    /// Reads once from the socket.
    ///
    /// Returns false at the end.
    func fill() throws(ShaleError) -> Bool {
        while true {
            let count = read(socket.raw, &buffer, buffer.count)
            if count > 0 {
                parser.append(buffer[..<count])
                return true
            }
            if count == 0 || errno == ECONNRESET { return false }
            switch errno {
            case EINTR: continue
            case EAGAIN: return true
            default: throw SystemCallError("read").shaleError("container runner")
            }
        }
    }

    /// Waits for the answer to a request.
    ///
    /// Throws a failure that the runner reports.
    func answer() throws(ShaleError) -> Message {
        var message = try receive()
        while case .steps(let times)? = message {
            StepReport.tell(times)
            message = try receive()
        }
        guard let message else {
            throw ShaleError(.engine, "container runner ended without an answer")
        }
        if case .failed(let failure) = message { throw ShaleError(failure) }
        return message
    }
}

extension ShaleError {
    /// Makes an error of a failed step, in docker's wording when the runner sends one.
    init(_ failure: StepFailure) {
        let code: ShaleError.Code =
            switch failure.status {
            case 126: .notExecutable
            case 127: .commandNotFound
            default: .engine
            }
        if !failure.words.isEmpty {
            self.init(code, failure.words)
            return
        }
        let about = failure.path.isEmpty ? failure.step : "\(failure.step) \(failure.path)"
        self.init(code, about, cause: failure.errno == 0 ? nil : SystemCallError.words(of: failure.errno))
    }
}

/// Reports the durations of a runner's steps to this process's observer.
enum StepReport {
    /// Reports the steps.
    ///
    /// The command waits for the child's steps, and for the supervisor's steps before and after them. The supervisor's
    /// other steps are shown in a second lane.
    static func tell(_ times: [StepTime]) {
        let child = times.filter(\.isOfChild)
        let first = child.map(\.begin).min() ?? .max
        let last = child.map(\.end).max() ?? 0
        for time in times {
            let isWaitedFor = time.isOfChild || time.end <= first || time.begin >= last
            let about = time.path.isEmpty ? time.step : "\(time.step) \(time.path)"
            Observer.tell(
                Observer.Span(
                    .runner, about, begin: time.begin, end: time.end,
                    lane: isWaitedFor ? Observer.lane : Self.supervisor))
        }
    }

    /// The number of the second lane.
    ///
    /// No thread of this process has this number.
    private static let supervisor: UInt = 0
}
