import Glibc
import Linux
import RunnerProtocol

/// What a starting child told the supervisor before it became the program.
struct ChildReport {
    /// The terminal's master, if it got one.
    var terminal: Handle?
    /// The pid a joining process told of its child.
    var pid: Int32?
    var failure: StepFailure?

    /// Reads until the child's end is closed, by its exec or its death.
    static func read(from socket: Int32) -> ChildReport {
        var report = ChildReport()
        var parser = FrameParser()
        var buffer = [UInt8](repeating: 0, count: 4096)
        var steps: [StepTime] = []
        while let (count, descriptor) = try? UnixSocket.receive(into: &buffer, from: socket) {
            if let descriptor { report.terminal = Handle(descriptor) }
            guard count > 0 else { break }
            parser.append(buffer[..<count])
            while let message = try? parser.next() {
                switch message {
                case .failed(let failure): report.failure = report.failure ?? failure
                case .started(let pid): report.pid = pid
                case .steps(let times): steps += times
                default: break
                }
            }
        }
        StepClock.take(steps)
        return report
    }
}
