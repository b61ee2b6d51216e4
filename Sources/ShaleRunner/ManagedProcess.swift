import Glibc
import Linux
import RunnerProtocol

/// A process of the container that the supervisor looks after: the first one, or one of `exec`.
final class ManagedProcess {
    /// Bytes kept for a process that does not read its input, before the client is made to wait.
    static let inputLimit = 256 << 10

    let pid: Int32
    let isFirst: Bool
    var input: Handle?
    var output: Handle?
    var errors: Handle?
    /// The terminal's master; stands for all three.
    var terminal: Handle?
    var log: ContainerLog?
    /// The beginning of what it writes, kept for whoever asks for it; `nil` when nobody does.
    var captured: [UInt8]?
    var subscribers: [Client] = []
    private(set) var pendingInput: [UInt8] = []
    private var inputEnds = false
    /// Where it alone sees the tools it was given.
    var toolbox: ToolboxMount?
    /// Set once it ended.
    var exitCode: Int32?
    private(set) var isFinished = false

    init(pid: Int32, isFirst: Bool) {
        self.pid = pid
        self.isFirst = isFirst
    }

    /// Descriptors that something may be read from now, each with the stream it is.
    var readable: [(handle: Handle, stream: String)] {
        if subscribers.contains(where: \.isFull) { return [] }
        return allOutputs
    }

    private var allOutputs: [(handle: Handle, stream: String)] {
        var list: [(handle: Handle, stream: String)] = []
        if let terminal { list.append((terminal, "stdout")) }
        if let output { list.append((output, "stdout")) }
        if let errors { list.append((errors, "stderr")) }
        return list
    }

    /// Where input waits to be written to, if any does.
    var writable: Handle? { pendingInput.isEmpty ? nil : terminal ?? input }

    /// Reads once from a stream and hands it on; an ended stream is closed.
    ///
    /// False when nothing was there.
    @discardableResult
    func relay(_ handle: Handle, _ stream: String) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(handle.raw, &buffer, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return false }
        guard count > 0 else {
            // A terminal answers EIO when its last slave is closed.
            if handle === output { output = nil }
            if handle === errors { errors = nil }
            if handle === terminal, exitCode != nil { terminal = nil }
            return false
        }
        let bytes = Array(buffer[..<count])
        log?.append(bytes, stream: stream)
        if let room = captured.map({ HealthMonitor.outputLimit - $0.count }), room > 0 {
            captured?.append(contentsOf: bytes.prefix(room))
        }
        let message = stream == "stdout" ? Message.stdout(bytes) : .stderr(bytes)
        for client in subscribers { client.send(message) }
        return true
    }

    func feed(_ bytes: [UInt8]) {
        guard terminal != nil || input != nil else { return }
        pendingInput += bytes
        flushInput()
    }

    /// No more input will come; what is pending is still delivered.
    func endInput() {
        guard terminal == nil else { return }
        inputEnds = true
        flushInput()
    }

    func flushInput() {
        guard let target = terminal ?? input else {
            pendingInput = []
            return
        }
        while !pendingInput.isEmpty {
            let count = write(target.raw, pendingInput, pendingInput.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                // The process closed its input.
                pendingInput = []
                input = nil
                return
            }
            pendingInput.removeFirst(count)
        }
        if inputEnds { input = nil }
    }

    /// For an ended process: whether everything it wrote has been handed on.
    func drain() -> Bool {
        while true {
            let streams = readable
            if streams.isEmpty { return allOutputs.isEmpty }
            var progress = false
            for (handle, stream) in streams where relay(handle, stream) { progress = true }
            if !progress { return true }
        }
    }

    func resize(_ size: TerminalSize) {
        guard let terminal else { return }
        Terminal.resize(terminal.raw, to: size)
    }

    func finish() {
        isFinished = true
        log?.close()
        input = nil
        output = nil
        errors = nil
        terminal = nil
        pendingInput = []
    }
}

/// A connection to the supervisor.
final class Client {
    /// The number of unsent bytes above which the process that writes to this client has to wait.
    static let outboxLimit = 1 << 20

    let handle: Handle
    var parser: FrameParser
    private var outbox: [UInt8] = []
    private var sent = 0
    /// The process it is attached to.
    var process: ManagedProcess?
    var givesInput = false
    /// Waits for the container's end.
    var isWaiting = false
    /// Keeps the container paused for as long as it is there.
    var isHolding = false
    /// Starts the container again itself as soon as it has ended.
    var keepsContainer = false
    /// Closed as soon as the outbox is empty.
    var isClosing = false
    private(set) var isClosed = false
    /// Whether it was closed before all messages were sent.
    private(set) var isLost = false

    init(_ handle: Handle, parser: FrameParser = FrameParser()) {
        self.handle = handle
        self.parser = parser
    }

    var isFull: Bool { outbox.count - sent > Self.outboxLimit }
    var hasOutput: Bool { sent < outbox.count }
    /// Whether more may be read from it now.
    var wantsInput: Bool {
        !isClosing && !isClosed && (process?.pendingInput.count ?? 0) < ManagedProcess.inputLimit
    }

    func send(_ message: Message) {
        guard !isClosed else { return }
        outbox += message.frame()
        flush()
    }

    func flush() {
        while sent < outbox.count {
            let count = outbox.withUnsafeBytes { UnixSocket.sendNow($0[sent...], to: handle.raw) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else {
                isLost = true
                close()
                return
            }
            sent += count
        }
        if sent == outbox.count {
            outbox.removeAll(keepingCapacity: true)
            sent = 0
            if isClosing { close() }
        } else if sent > Self.outboxLimit {
            outbox.removeFirst(sent)
            sent = 0
        }
    }

    func close() {
        isClosed = true
        outbox = []
        sent = 0
        process?.subscribers.removeAll { $0 === self }
    }

    /// Answers and ends the connection.
    func conclude(_ message: Message) {
        isClosing = true
        send(message)
    }
}
