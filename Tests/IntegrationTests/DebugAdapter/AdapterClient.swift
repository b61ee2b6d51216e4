import Basics
import Glibc
import TestSupport

/// A client of the Debug Adapter Protocol, as an editor is one: it starts `shale dap` and talks to it.
///
/// Not for use from two threads. The adapter is killed when the test lets go of it.
final class AdapterClient {
    let home: ShaleHome
    private let child: Child
    private let name: String
    private var input: Int32
    private let output: Int32
    private var buffer: [UInt8] = []
    private var sequence: Int64 = 0
    /// Every message of the adapter, in order.
    private(set) var messages: [JSONDocument] = []
    /// Where in `messages` the next `event` looks from.
    private var position = 0

    init(_ home: ShaleHome, _ words: [String] = [], name: String = "dap") throws {
        self.home = home
        self.name = name
        let path = home.folder.path + "/" + name
        for end in [path + ".to", path + ".from"] {
            guard mkfifo(end, 0o600) == 0 else { throw PeerError(text: "mkfifo \(end)") }
        }
        // Open for both, so that neither side waits for the other to open it.
        input = open(path + ".to", O_RDWR | O_CLOEXEC)
        output = open(path + ".from", O_RDWR | O_NONBLOCK | O_CLOEXEC)
        let command = try home.command(["dap"] + words)
        child = try Child(
            command[0], Array(command.dropFirst()), environment: home.environment, in: home.work, input: path + ".to",
            output: path + ".from", errors: path + ".err")
    }

    deinit {
        child.stop()
        hangUp()
        close(output)
    }

    // MARK: Talking

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) } }

    /// Sends a request; answers its number.
    @discardableResult
    func send(_ command: String, _ arguments: JSONDocument = .object([])) -> Int64 {
        sequence += 1
        let content = JSONDocument.members([
            "seq": .integer(sequence), "type": "request", "command": .string(command), "arguments": arguments,
        ]).text()
        send(Array("Content-Length: \(content.utf8.count)\r\n\r\n\(content)".utf8))
        return sequence
    }

    /// Sends a request and waits for its response, which must be a success unless `fails`.
    @discardableResult
    func ask(
        _ command: String, _ arguments: JSONDocument = .object([]), fails: Bool = false
    ) throws -> JSONDocument {
        let number = send(command, arguments)
        let response = try wait("the response to \(command)", from: messages.count) { message in
            message["type"] == "response" && message["request_seq"] == .integer(number)
        }
        guard response["success"] == .bool(!fails) else { throw PeerError(text: response.text()) }
        return fails ? response : response["body"] ?? .null
    }

    /// The next event of these names, behind the one before.
    @discardableResult
    func event(_ names: String...) throws -> JSONDocument {
        let found = try wait("the event \(names)", from: position) { message in
            message["type"] == "event" && names.contains(message["event"]?.string ?? "")
        }
        position = (messages.lastIndex(of: found) ?? position) + 1
        return found
    }

    /// Everything that was printed so far.
    var printed: String {
        messages.filter { $0["event"] == "output" }.compactMap { $0["body"]?["output"]?.string }.joined()
    }

    private func wait(
        _ what: String, from start: Int, _ isWanted: (JSONDocument) -> Bool
    ) throws -> JSONDocument {
        let deadline = Waiting.now() + 60
        var next = start
        while true {
            while next < messages.count {
                if isWanted(messages[next]) { return messages[next] }
                next += 1
            }
            guard Waiting.now() < deadline, try receive() else {
                throw PeerError(
                    text: "\(what) did not come; the last message: \(messages.last?.text() ?? "none"); "
                        + errors)
            }
        }
    }

    /// Waits a moment for messages; false when the adapter has ended and nothing is left.
    private func receive() throws -> Bool {
        let isOver = !child.isRunning
        var poller = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        _ = poll(&poller, 1, 100)
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = chunk.withUnsafeMutableBytes { read(output, $0.baseAddress, $0.count) }
        if count <= 0 { return !isOver }
        buffer += chunk[..<count]
        let gap = Array("\r\n\r\n".utf8)
        while let end = buffer.firstRange(of: gap) {
            let header = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
            guard header.hasPrefix("Content-Length: "), let length = Int(header.dropFirst(16)) else {
                throw PeerError(text: "the adapter's header is \(header)")
            }
            guard buffer.count >= end.upperBound + length else { return true }
            let content = buffer[end.upperBound..<end.upperBound + length]
            messages.append(try JSONDocument(parsing: content, naming: "a message"))
            buffer.removeFirst(end.upperBound + length)
        }
        return true
    }

    // MARK: The end

    /// Goes away without a word.
    func hangUp() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Waits for the adapter's end.
    func status() throws -> Int32 {
        let deadline = Waiting.now() + 30
        while child.isRunning {
            guard Waiting.now() < deadline else { throw PeerError(text: "the adapter does not end") }
            usleep(2000)
        }
        return child.wait()
    }

    /// What the adapter wrote to its standard error.
    var errors: String { home.said(name).errors }

    // MARK: What a person does

    /// `initialize` and `launch`, up to the point where breakpoints are set.
    func launch(_ attributes: JSONDocument) throws {
        try ask("initialize", .members(["adapterID": "shale", "clientID": "test"]))
        try ask("launch", attributes)
        try event("initialized")
    }

    /// Sends a request that sets the program going, and waits until it stops or ends; answers why.
    func go(_ command: String, _ arguments: JSONDocument = .members(["threadId": 1])) throws -> String {
        try ask(command, arguments)
        let event = try event("stopped", "terminated")
        return event["body"]?["reason"]?.string ?? event["event"]?.string ?? ""
    }

    /// The line of the innermost frame.
    func line() throws -> Int64 {
        let frames = try ask("stackTrace", .members(["threadId": 1]))["stackFrames"]?.array
        guard case .integer(let line)? = frames?.first?["line"] else { throw PeerError(text: "no frame") }
        return line
    }

    /// The variables of a scope, as `NAME=VALUE`.
    func values(_ scope: String) throws -> [String] {
        let scopes = try ask("scopes", .members(["frameId": 1]))["scopes"]?.array ?? []
        guard let reference = scopes.first(where: { $0["name"] == .string(scope) })?["variablesReference"] else {
            throw PeerError(text: "no scope \(scope)")
        }
        let list = try ask("variables", .members(["variablesReference": reference]))["variables"]?.array ?? []
        return list.map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? "")" }
    }

    /// What a line of the debug console answers.
    func evaluate(_ text: String, _ context: String = "repl") throws -> String {
        try ask("evaluate", .members(["expression": .string(text), "context": .string(context)]))["result"]?.string
            ?? ""
    }
}
