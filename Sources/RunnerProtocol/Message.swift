/// A step of starting a process that failed: what was done, to what, and the kernel's answer.
package struct StepFailure: Sendable, Equatable, Error {
    /// The step's name: `mount`, `pivot_root`, `exec`, `user`, ….
    package var step: String
    package var path: String
    package var errno: Int32
    /// 125 for the engine's own failures, 126 and 127 for the command's.
    package var status: Int32
    /// Docker's words where it has some; else empty.
    package var words: String

    package init(step: String, path: String = "", errno: Int32 = 0, status: Int32 = 125, words: String = "") {
        self.step = step
        self.path = path
        self.errno = errno
        self.status = status
        self.words = words
    }
}

/// How long a step of starting a container took.
package struct StepTime: Sendable, Equatable {
    package var step: String
    package var path: String
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    package var begin: UInt64
    package var end: UInt64
    /// Whether it is the container's first process that did it, and not its supervisor.
    package var isOfChild: Bool

    package init(step: String, path: String, begin: UInt64, end: UInt64, isOfChild: Bool) {
        self.step = step
        self.path = path
        self.begin = begin
        self.end = end
        self.isOfChild = isOfChild
    }
}

/// How a process ended.
package struct ExitReport: Sendable, Equatable {
    /// The exit code, or 128 and the signal's number.
    package var code: Int32
    /// Whether the kernel killed it because memory ran out.
    package var outOfMemory: Bool
    /// Whether another start is on its way, so that it is not to be removed.
    package var isKept: Bool

    package init(code: Int32, outOfMemory: Bool = false, isKept: Bool = false) {
        self.code = code
        self.outOfMemory = outOfMemory
        self.isKept = isKept
    }
}

/// What a runner tells of its container.
package struct RunnerStatus: Sendable, Equatable {
    /// Of the container's first process, in the runner's pid namespace; 0 once it ended.
    package var pid: Int32
    package var paused: Bool
    package var terminal: Bool
    package var execs: UInt32

    package init(pid: Int32, paused: Bool, terminal: Bool, execs: UInt32) {
        self.pid = pid
        self.paused = paused
        self.terminal = terminal
        self.execs = execs
    }
}

/// What travels between a shell and a runner, on the channel that started it or on its control socket.
package enum Message: Sendable, Equatable {
    // Shell to runner.
    case launch(LaunchPlan)
    /// Streams of the container's first process, both ways, until one side closes; answered by `ok` or `failed`.
    case attach(stdin: Bool)
    /// Another process in the container; answered by `started` or `failed`.
    case exec(ProcessPlan, detached: Bool)
    case stdin([UInt8])
    case stdinEnd
    case resize(rows: UInt16, columns: UInt16)
    /// To the connection's own process; answered by `ok` or `failed` only on a connection that is not attached.
    case signal(Int32)
    /// Answered by `exited` when the container's first process has ended.
    case wait
    case pause
    case resume
    case status
    /// Pauses for as long as the connection is open: whoever asked may be killed; answered by `ok` or `failed`.
    case hold
    /// Does not remove the container at its end, although it has `--rm`; for as long as the connection is open.
    case keep
    /// Other limits, from now on; answered by `ok` or `failed`.
    case limits(CgroupPlan)
    /// Another policy, from now on; answered by `ok`.
    case restart(RestartPlan?)

    // Runner to shell.
    case started(pid: Int32)
    case failed(StepFailure)
    case stdout([UInt8])
    case stderr([UInt8])
    case exited(ExitReport)
    case ok
    case state(RunnerStatus)
    /// Before `started` or `failed`, where the plan asks for it.
    case steps([StepTime])
}

extension Message {
    /// The message as a frame: its length (4 bytes, of what follows), its number, its values.
    package func frame() -> [UInt8] {
        var body = WireWriter()
        switch self {
        case .launch(let plan): body.put(1, plan.encode())
        case .attach(let stdin):
            body.put(2 as UInt8)
            body.put(stdin)
        case .exec(let process, let detached):
            body.put(3 as UInt8)
            body.put(detached)
            process.encode(to: &body)
        case .stdin(let bytes): body.put(4, bytes)
        case .stdinEnd: body.put(5 as UInt8)
        case .resize(let rows, let columns):
            body.put(6 as UInt8)
            body.put(rows)
            body.put(columns)
        case .signal(let number):
            body.put(7 as UInt8)
            body.put(number)
        case .wait: body.put(8 as UInt8)
        case .pause: body.put(9 as UInt8)
        case .resume: body.put(10 as UInt8)
        case .status: body.put(11 as UInt8)
        case .started(let pid):
            body.put(12 as UInt8)
            body.put(pid)
        case .failed(let failure): body.put(13, failure)
        case .stdout(let bytes): body.put(14, bytes)
        case .stderr(let bytes): body.put(15, bytes)
        case .exited(let report):
            body.put(16 as UInt8)
            body.put(report.code)
            body.put(report.outOfMemory)
            body.put(report.isKept)
        case .ok: body.put(17 as UInt8)
        case .state(let status): body.put(18, status)
        case .hold: body.put(19 as UInt8)
        case .keep: body.put(20 as UInt8)
        case .limits(let plan):
            body.put(21 as UInt8)
            plan.encode(to: &body)
        case .restart(let plan):
            body.put(22 as UInt8)
            body.putOptional(plan) { $1.encode(to: &$0) }
        case .steps(let steps):
            body.put(23 as UInt8)
            body.putList(steps) {
                $0.put($1.step)
                $0.put($1.path)
                $0.put($1.begin)
                $0.put($1.end)
                $0.put($1.isOfChild)
            }
        }
        var frame = WireWriter()
        frame.put(UInt32(truncatingIfNeeded: body.bytes.count))
        return frame.bytes + body.bytes
    }

    /// A message from a frame's body.
    ///
    /// Throws a `WireError` when the body is not a message.
    package init(decoding body: [UInt8]) throws(WireError) {
        var reader = WireReader(body)
        let number = try reader.byte()
        switch number {
        case 1: self = .launch(try LaunchPlan(decoding: reader.rest()))
        case 2: self = .attach(stdin: try reader.bool())
        case 3:
            let detached = try reader.bool()
            self = .exec(try ProcessPlan(from: &reader), detached: detached)
        case 4: self = .stdin(try reader.rest())
        case 5: self = .stdinEnd
        case 6: self = .resize(rows: try reader.integer(), columns: try reader.integer())
        case 7: self = .signal(try reader.integer())
        case 8: self = .wait
        case 9: self = .pause
        case 10: self = .resume
        case 11: self = .status
        case 12: self = .started(pid: try reader.integer())
        case 13: self = .failed(try StepFailure(from: &reader))
        case 14: self = .stdout(try reader.rest())
        case 15: self = .stderr(try reader.rest())
        case 16:
            self = .exited(
                ExitReport(
                    code: try reader.integer(), outOfMemory: try reader.bool(), isKept: try reader.bool()))
        case 17: self = .ok
        case 18: self = .state(try RunnerStatus(from: &reader))
        case 19: self = .hold
        case 20: self = .keep
        case 21: self = .limits(try CgroupPlan(from: &reader))
        case 22:
            self = .restart(try reader.optional { (reader) throws(WireError) in try RestartPlan(from: &reader) })
        case 23:
            self = .steps(
                try reader.list { (reader) throws(WireError) in
                    StepTime(
                        step: try reader.string(), path: try reader.string(), begin: try reader.integer(),
                        end: try reader.integer(), isOfChild: try reader.bool())
                })
        default: throw .unknown(number)
        }
        try reader.end()
    }
}

extension WireWriter {
    fileprivate mutating func put(_ number: UInt8, _ bytes: [UInt8]) {
        put(number)
        append(bytes)
    }

    fileprivate mutating func put(_ number: UInt8, _ failure: StepFailure) {
        put(number)
        put(failure.step)
        put(failure.path)
        put(failure.errno)
        put(failure.status)
        put(failure.words)
    }

    fileprivate mutating func put(_ number: UInt8, _ status: RunnerStatus) {
        put(number)
        put(status.pid)
        put(status.paused)
        put(status.terminal)
        put(status.execs)
    }
}

extension StepFailure {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        step = try reader.string()
        path = try reader.string()
        errno = try reader.integer()
        status = try reader.integer()
        words = try reader.string()
    }
}

extension RunnerStatus {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        pid = try reader.integer()
        paused = try reader.bool()
        terminal = try reader.bool()
        execs = try reader.integer()
    }
}

/// Cuts a stream of bytes into messages.
package struct FrameParser {
    /// No message is longer, bytes.
    package static let limit = 32 << 20

    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message, `nil` while more bytes are needed.
    ///
    /// Throws `WireError.tooLong` when the frame is larger than the limit, and what decoding its body throws.
    package mutating func next() throws(WireError) -> Message? {
        guard buffer.count - start >= 4 else { return nil }
        var header = WireReader(Array(buffer[start..<start + 4]))
        let length = Int(try header.integer(UInt32.self))
        guard length <= FrameParser.limit else { throw .tooLong }
        guard buffer.count - start - 4 >= length else { return nil }
        let body = Array(buffer[start + 4..<start + 4 + length])
        start += 4 + length
        return try Message(decoding: body)
    }
}
