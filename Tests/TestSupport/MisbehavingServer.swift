import Glibc
import Synchronization

/// A small HTTP/1.1 server on loopback that answers exactly as a test tells it to, well or badly.
package final class MisbehavingServer: Sendable {
    package struct Request: Sendable {
        package var method: String
        /// Path and query as they came.
        package var target: String
        package var headers: [String: String]
        package var body: [UInt8]
        /// How many requests came before it.
        package var number: Int

        package var path: String { String(target.prefix { $0 != "?" }) }
        package var query: String {
            target.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        }
    }

    /// How an answer's bytes are sent.
    package enum Delivery: Sendable {
        case whole
        /// The connection is closed after that many bytes of the body; `Content-Length` promised all.
        case cutAfter(Int)
        /// That many bytes of the body, then silence.
        case hangAfter(Int)
        /// That many bytes at a time, with so many milliseconds between.
        case drip(bytes: Int, milliseconds: UInt32)
        /// In chunks of that many bytes, without a length.
        case chunked(Int)
        /// Without a length, ended by closing.
        case unframed
        /// Silence from the start.
        case silence
        /// Closed without a byte.
        case closed
        /// These bytes, as they are, instead of an answer.
        case raw([UInt8])
    }

    package struct Answer: Sendable, CustomStringConvertible {
        package var status: Int
        package var headers: [(String, String)]
        package var body: [UInt8]
        package var delivery: Delivery

        package init(
            _ status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [], delivery: Delivery = .whole
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.delivery = delivery
        }

        package static func json(_ text: String, status: Int = 200, headers: [(String, String)] = []) -> Answer {
            Answer(status, headers: [("Content-Type", "application/json")] + headers, body: Array(text.utf8))
        }

        package var description: String {
            "\(status) \(headers) \(body.count) bytes \(String(describing: delivery).prefix(60))"
        }

        /// The error body of the distribution specification.
        package static func error(
            _ status: Int, _ code: String, _ message: String, headers: [(String, String)] = []
        ) -> Answer {
            json(#"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#, status: status, headers: headers)
        }

        package static let silence = Answer(delivery: .silence)
        package static let closed = Answer(delivery: .closed)

        /// Bytes of a blob: the part a `Range: bytes=N-` asks for where `ranges` are done, else all of them.
        package static func blob(
            _ bytes: [UInt8], for request: Request, ranges: Bool = true, delivery: Delivery = .whole
        ) -> Answer {
            let range = request.headers["range"].flatMap { text -> Int? in
                guard text.hasPrefix("bytes="), text.hasSuffix("-") else { return nil }
                return Int(text.dropFirst(6).dropLast())
            }
            guard ranges, let first = range else { return Answer(body: bytes, delivery: delivery) }
            guard first < bytes.count else {
                return Answer(416, headers: [("Content-Range", "bytes */\(bytes.count)")])
            }
            return Answer(
                206, headers: [("Content-Range", "bytes \(first)-\(bytes.count - 1)/\(bytes.count)")],
                body: Array(bytes[first...]), delivery: delivery)
        }
    }

    private struct State {
        var requests: [Request] = []
        var isStopped = false
        var connections: Set<Int32> = []
    }

    private let listener: Int32
    package let port: UInt16
    private let handler: @Sendable (Request) -> Answer
    private let state = Mutex(State())

    /// Starts to listen on a free port.
    package init(_ handler: @escaping @Sendable (Request) -> Answer) throws {
        self.handler = handler
        (listener, port) = try LoopbackPort.listen()
        // A thread may hold the server only as long as a connection lasts.
        let socket = listener
        let serve: @Sendable () -> Void = { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard connection >= 0, let self, self.adopt(connection) else {
                    if connection >= 0 { close(connection) }
                    return
                }
                PosixThread.start { [weak self] in self?.converse(connection) }
            }
        }
        PosixThread.start(serve)
    }

    deinit { stop() }

    /// Where it listens, as `127.0.0.1:PORT`.
    package var host: String { "127.0.0.1:\(port)" }
    package var url: String { "http://\(host)" }

    /// Everything that was asked so far.
    package var requests: [Request] { state.withLock(\.requests) }

    /// Closes the port and every connection.
    package func stop() {
        let connections = state.withLock { state -> Set<Int32>? in
            guard !state.isStopped else { return nil }
            state.isStopped = true
            return state.connections
        }
        guard let connections else { return }
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private var isStopped: Bool { state.withLock(\.isStopped) }

    private func adopt(_ connection: Int32) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.connections.insert(connection)
            return true
        }
    }

    private func converse(_ connection: Int32) {
        var stream = RequestStream(socket: connection)
        while var request = stream.next() {
            state.withLock { state in
                request.number = state.requests.count
                state.requests.append(request)
            }
            guard deliver(handler(request), to: request, on: connection) else { break }
        }
        _ = state.withLock { $0.connections.remove(connection) }
        close(connection)
    }

    /// Sends an answer; false when the connection ends with it.
    private func deliver(_ answer: Answer, to request: Request, on connection: Int32) -> Bool {
        var head = "HTTP/1.1 \(answer.status) \(answer.status < 400 ? "OK" : "No")\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        let hasLength = answer.headers.contains { $0.0.lowercased() == "content-length" }
        let length = hasLength || answer.status == 204 ? "" : "Content-Length: \(answer.body.count)\r\n"
        let body = request.method == "HEAD" ? [] : answer.body
        switch answer.delivery {
        case .silence:
            waitForEnd(connection)
            return false
        case .closed: return false
        case .raw(let bytes):
            _ = sendAll(bytes, on: connection)
            return false
        case .whole: return sendAll(Array((head + length + "\r\n").utf8) + body, on: connection)
        case .cutAfter(let count):
            _ = sendAll(Array((head + length + "\r\n").utf8) + body.prefix(count), on: connection)
            return false
        case .hangAfter(let count):
            _ = sendAll(Array((head + length + "\r\n").utf8) + body.prefix(count), on: connection)
            waitForEnd(connection)
            return false
        case .unframed:
            _ = sendAll(Array((head + "Connection: close\r\n\r\n").utf8) + body, on: connection)
            return false
        case .drip(let size, let milliseconds):
            guard sendAll(Array((head + length + "\r\n").utf8), on: connection) else { return false }
            for start in stride(from: 0, to: body.count, by: max(1, size)) {
                guard !isStopped, sendAll(Array(body[start..<min(start + size, body.count)]), on: connection) else {
                    return false
                }
                usleep(milliseconds * 1000)
            }
            return true
        case .chunked(let size):
            guard sendAll(Array((head + "Transfer-Encoding: chunked\r\n\r\n").utf8), on: connection) else {
                return false
            }
            for start in stride(from: 0, to: body.count, by: max(1, size)) {
                let chunk = body[start..<min(start + size, body.count)]
                let line = Array((String(chunk.count, radix: 16) + "\r\n").utf8)
                guard sendAll(line + chunk + Array("\r\n".utf8), on: connection) else { return false }
            }
            return sendAll(Array("0\r\n\r\n".utf8), on: connection)
        }
    }

    /// Waits until the other side has gone.
    private func waitForEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        while !isStopped, recv(connection, &byte, 1, 0) > 0 {}
    }

    private func sendAll(_ bytes: [UInt8], on connection: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

/// Reads requests off one connection.
private struct RequestStream {
    let socket: Int32
    var buffered: [UInt8] = []

    init(socket: Int32) { self.socket = socket }

    mutating func next() -> MisbehavingServer.Request? {
        guard let head = readHead() else { return nil }
        var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
        guard !lines.isEmpty else { return nil }
        let words = lines.removeFirst().split(separator: " ")
        guard words.count >= 2 else { return nil }
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            let name = line[..<colon].lowercased()
            headers[name] = headers[name].map { "\($0), \(value)" } ?? String(value)
        }
        let body: [UInt8]?
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            body = readChunks()
        } else {
            body = read(headers["content-length"].flatMap { Int($0) } ?? 0)
        }
        guard let body else { return nil }
        return .init(
            method: String(words[0]), target: String(words[1]), headers: headers, body: body, number: 0)
    }

    private mutating func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            buffered += buffer.prefix(count)
            return true
        }
    }

    private mutating func readHead() -> String? {
        var searched = 0
        while true {
            if buffered.count >= 4 {
                for index in searched...(buffered.count - 4)
                where buffered[index] == 13 && Array(buffered[index..<index + 4]) == [13, 10, 13, 10] {
                    let head = String(decoding: buffered[..<index], as: UTF8.self)
                    buffered.removeFirst(index + 4)
                    return head
                }
                searched = buffered.count - 3
            }
            guard buffered.count < 1 << 20, fill() else { return nil }
            // A TLS greeting: whoever knows nothing of TLS hangs up.
            if buffered.first == 0x16 { return nil }
        }
    }

    private mutating func read(_ count: Int) -> [UInt8]? {
        while buffered.count < count {
            guard fill() else { return nil }
        }
        let bytes = Array(buffered.prefix(count))
        buffered.removeFirst(count)
        return bytes
    }

    private mutating func readChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = readLine(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else { return nil }
            guard let chunk = read(size), readLine() != nil else { return nil }
            if size == 0 { return body }
            body += chunk
        }
    }

    private mutating func readLine() -> String? {
        while true {
            if let end = buffered.firstIndex(of: 10) {
                let line = String(decoding: buffered[..<end].filter { $0 != 13 }, as: UTF8.self)
                buffered.removeFirst(end + 1)
                return line
            }
            guard buffered.count < 1 << 20, fill() else { return nil }
        }
    }
}

/// Ports of 127.0.0.1.
package enum LoopbackPort {
    /// A listening socket on a free port, closed on exec.
    static func listen() throws -> (socket: Int32, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw PeerError(text: "no socket") }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 && Glibc.listen(socket, 64) == 0
                    && getsockname(socket, address, &length) == 0
            }
        }
        guard isBound else {
            close(socket)
            throw PeerError(text: "no port on 127.0.0.1")
        }
        return (socket, UInt16(bigEndian: address.sin_port))
    }

    /// A port that was free a moment ago.
    package static func free() throws -> UInt16 {
        let (socket, port) = try listen()
        close(socket)
        return port
    }

    /// Whether something takes connections there.
    package static func answers(_ port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// A detached thread of its own: tests' servers must not starve the pool that tests run on.
package enum PosixThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    package static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        if code != 0 { Unmanaged<Body>.fromOpaque(context).release() }
    }
}
