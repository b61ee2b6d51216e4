import Basics
import Glibc
import Linux
import RunnerProtocol

/// Transfers bytes between the caller's streams and a container until it ends or the user detaches.
struct Relay {
    let connection: RunnerConnection
    let streams: AttachStreams
    let terminal: Bool

    private static let terminalSignals = [SIGWINCH, SIGTERM, SIGHUP]
    private static let proxiedSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    func run() throws(ShaleError) -> AttachOutcome {
        let inputIsTerminal = streams.input.map(Terminal.isTerminal) ?? false
        guard terminal, inputIsTerminal, let input = streams.input else { return try relaySignals() }
        let raw = try Self.rawTerminal(input)
        let result = Result { () throws(ShaleError) in try relaySignals() }
        raw.restore()
        return try result.get()
    }

    private static func rawTerminal(_ fd: Int32) throws(ShaleError) -> RawTerminal {
        do throws(SystemCallError) {
            return try RawTerminal(fd)
        } catch {
            throw error.shaleError("terminal")
        }
    }

    private func relaySignals() throws(ShaleError) -> AttachOutcome {
        // Without input the terminal's keys are not passed on, so Ctrl-C is for this process.
        let keys = streams.input == nil ? [SIGINT] : []
        let numbers =
            terminal ? Self.terminalSignals + keys : streams.proxiesSignals ? Self.proxiedSignals : []
        guard !numbers.isEmpty, let signals = try? SignalRelay(numbers) else {
            var loop = RelayLoop(self)
            return try loop.run { nil }
        }
        var loop = RelayLoop(self, signals: signals.descriptor)
        return try loop.run { signals.next() }
    }
}

/// The loop of the relay.
///
/// It never blocks on one side while the other has data.
private struct RelayLoop {
    private let relay: Relay
    private let signals: Int32
    private var scanner: DetachScanner
    private var outbox: [UInt8] = []
    private var inputOpen: Bool
    private var interrupts = 0
    /// When to check whether the process still runs after the first interrupt, in milliseconds of the monotonic clock.
    private var lookAgain: Double?

    /// The time that a process has to end after the first interrupt before a message is printed, in milliseconds.
    private static let patience = 1000.0

    init(_ relay: Relay, signals: Int32 = -1) {
        self.relay = relay
        self.signals = signals
        scanner = DetachScanner(relay.terminal ? relay.streams.detachKeys : nil)
        inputOpen = relay.streams.input != nil
    }

    mutating func run(_ nextSignal: () -> Int32?) throws(ShaleError) -> AttachOutcome {
        if relay.terminal { resize() }
        relay.connection.socket.setNonblocking(true)
        defer { relay.connection.socket.setNonblocking(false) }
        while true {
            // Messages that arrived together with the start are already read.
            if let outcome = try handleMessages() { return outcome }
            var poller = Poller()
            let socket = relay.connection.socket.raw
            poller.add(socket, outbox.isEmpty ? .input : [.input, .output])
            poller.add(inputOpen && outbox.isEmpty ? relay.streams.input ?? -1 : -1, .input)
            poller.add(signals, .input)
            let count = poller.wait(milliseconds: wait)
            if count == 0, !scanner.held.isEmpty { queue(.stdin(scanner.release())) }
            if let due = lookAgain, Self.milliseconds() >= due {
                lookAgain = nil
                relay.streams.ignoredInterrupt?()
            }
            while let number = nextSignal() {
                if let outcome = take(signal: number) { return outcome }
            }
            if poller.events(at: 0).contains(.output) { try flush() }
            if !poller.events(at: 0).isDisjoint(with: [.input, .hangUp, .error]), try !relay.connection.fill() {
                if let outcome = try handleMessages() { return outcome }
                throw ShaleError(.engine, "container runner ended unexpectedly")
            }
            if !poller.events(at: 1).isEmpty, try takeInput() { return .detached }
        }
    }

    /// The longest time to wait for data, in milliseconds; -1 for no limit.
    private var wait: Int32 {
        let keys = scanner.held.isEmpty ? nil : Double(DetachKeys.patience)
        let look = lookAgain.map { max(0, ($0 - Self.milliseconds()).rounded(.up)) }
        return [keys, look].compactMap(\.self).min().map { Int32($0) } ?? -1
    }

    private static func milliseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
    }

    private mutating func handleMessages() throws(ShaleError) -> AttachOutcome? {
        while let message = try relay.connection.parsed() {
            switch message {
            case .stdout(let bytes): try Self.pass(bytes, to: relay.streams.output)
            case .stderr(let bytes): try Self.pass(bytes, to: relay.streams.errors)
            case .exited(let report): return report.isKept ? .restarted(report.code) : .exited(report.code)
            case .failed(let failure): throw ShaleError(failure)
            default: continue
            }
        }
        return nil
    }

    private static func pass(_ bytes: [UInt8], to sink: AttachStreams.Sink) throws(ShaleError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(ShaleError) in try sink(buffer) }
        }
        try result.get()
    }

    /// Reads input.
    ///
    /// Returns true when it contains the detach keys.
    private mutating func takeInput() throws(ShaleError) -> Bool {
        guard let input = relay.streams.input else { return false }
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        let count = read(input, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return false }
        guard count > 0 else {
            inputOpen = false
            queue(.stdinEnd)
            try flush()
            return false
        }
        let (pass, complete) = scanner.scan(Array(buffer[..<count]))
        if !pass.isEmpty {
            relay.streams.inputPassed?(pass)
            queue(.stdin(pass))
        }
        try flush()
        return complete
    }

    private mutating func take(signal number: Int32) -> AttachOutcome? {
        if number == SIGWINCH {
            resize()
        } else if relay.terminal {
            return .interrupted(signal: number)
        } else {
            // A container's first process without a handler ignores SIGINT. When the user presses the key again, they
            // mean it.
            if number == SIGINT {
                interrupts += 1
                lookAgain = interrupts == 1 ? Self.milliseconds() + Self.patience : nil
            }
            queue(.signal(number == SIGINT && interrupts > 1 ? SIGKILL : number))
        }
        return nil
    }

    private mutating func resize() {
        guard let input = relay.streams.input, let size = Terminal.size(of: input) else { return }
        queue(.resize(rows: size.rows, columns: size.columns))
    }

    private mutating func queue(_ message: Message) { outbox += message.frame() }

    private mutating func flush() throws(ShaleError) {
        while !outbox.isEmpty {
            let count = outbox.withUnsafeBytes { UnixSocket.sendNow($0[...], to: relay.connection.socket.raw) }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return
                // The runner has ended. Its last messages can still be read.
                case EPIPE, ECONNRESET:
                    outbox = []
                    inputOpen = false
                    return
                default: throw SystemCallError("send").shaleError("container runner")
                }
            }
            outbox.removeFirst(count)
        }
    }
}
