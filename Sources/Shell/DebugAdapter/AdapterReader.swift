import Basics
import Glibc
import Linux

/// One request of a client.
struct AdapterRequest: Sendable, Equatable {
    /// The client's number for it, which the response repeats.
    var sequence: Int64
    var command: String
    var arguments: JSONDocument
}

/// Reads the requests of the Debug Adapter Protocol from a descriptor (specification, "Base Protocol"): header fields
/// that end with `\r\n`, an empty line, then `Content-Length` bytes of JSON.
///
/// Header and content have limits, so that a client that sends something else costs no memory.
struct AdapterReader {
    /// In bytes.
    static let longestHeader = 4 << 10
    static let longestContent = 16 << 20

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var position = 0

    /// The descriptor stays the caller's.
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next request; `nil` when the client closed its end between two messages.
    ///
    /// Responses and events, which a client has no reason to send, are passed over. Throws `invalid` for what is no
    /// message of the protocol, and `io` for an end inside a message.
    mutating func next() throws(ShaleError) -> AdapterRequest? {
        while true {
            guard let length = try contentLength() else { return nil }
            guard let content = try take(length) else { throw Self.cutOff }
            let document = try JSONDocument(parsing: content, naming: "a message of the debug client")
            guard case .object = document else { throw Self.noMessage("its content is not a JSON object") }
            guard document["type"]?.string == MessageType.request.rawValue else {
                if document["type"]?.string.flatMap(MessageType.init) != nil { continue }
                throw Self.noMessage("it has no \"type\" of the protocol")
            }
            guard case .integer(let sequence)? = document["seq"], let command = document["command"]?.string else {
                throw Self.noMessage("a request needs \"seq\" and \"command\"")
            }
            return AdapterRequest(
                sequence: sequence, command: command, arguments: document["arguments"] ?? .object([]))
        }
    }

    /// The kinds of messages.
    enum MessageType: String { case request, response, event }

    private static let cutOff = ShaleError(.io, "the debug client went away inside a message")

    private static func noMessage(_ cause: String) -> ShaleError {
        ShaleError(
            .invalid, "dap: standard input is no Debug Adapter Protocol", cause: cause,
            hint: "dap is started by an editor; at the prompt it is build --step")
    }

    /// Reads a header; `nil` at the end of input in front of one.
    private mutating func contentLength() throws(ShaleError) -> Int? {
        var length: Int?
        var used = 0
        while let line = try headerLine(&used) {
            if line.isEmpty {
                if let length { return length }
                throw Self.noMessage("a header has no Content-Length")
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw Self.noMessage("a header field has no colon")
            }
            // Field names are compared as HTTP's are; fields of other names are for later versions.
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            guard name == Self.lengthField else { continue }
            let digits = String(decoding: line[(colon + 1)...], as: UTF8.self).filter { $0 != " " }
            guard let number = Int(digits), number >= 0, number <= Self.longestContent else {
                throw Self.noMessage("Content-Length is \(digits.visible)")
            }
            length = number
        }
        if used > 0 { throw Self.cutOff }
        return nil
    }

    private static let lengthField = "content-length"

    /// One line without its end; `nil` at the end of input.
    ///
    /// `used` counts the header's bytes.
    private mutating func headerLine(_ used: inout Int) throws(ShaleError) -> ArraySlice<UInt8>? {
        var line: ArraySlice<UInt8> = []
        while true {
            if position == buffer.count, try !fill() {
                if line.isEmpty { return nil }
                throw Self.cutOff
            }
            let byte = buffer[position]
            position += 1
            used += 1
            guard used <= Self.longestHeader else { throw Self.noMessage("a header is longer than 4 KiB") }
            if byte == UInt8(ascii: "\n") {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return line
            }
            line.append(byte)
        }
    }

    /// So many bytes; `nil` when the input ends before.
    private mutating func take(_ count: Int) throws(ShaleError) -> ArraySlice<UInt8>? {
        while buffer.count - position < count {
            guard try fill() else { return nil }
        }
        defer { position += count }
        return buffer[position..<position + count]
    }

    /// Reads on; false at the end of input.
    private mutating func fill() throws(ShaleError) -> Bool {
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                buffer += chunk[..<count]
                return true
            }
            if count == 0 { return false }
            if errno == EINTR { continue }
            throw SystemCallError("read").shaleError("the debug client")
        }
    }
}
