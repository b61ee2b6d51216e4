extension JSONDocument {
    /// Reads JSON text (RFC 8259), the members of an object in the order of the text.
    ///
    /// Faster than `JSONDecoder` by an order of magnitude on first use, which is what a single command pays for. Of
    /// members with one name the last counts, as in Go; bytes that are not UTF-8 become U+FFFD. Throws `invalid` with
    /// the byte's position.
    package init(parsing bytes: some Collection<UInt8>, naming what: String) throws(ShaleError) {
        let result: Result<JSONDocument, JSONReader.Failure>? = bytes.withContiguousStorageIfAvailable {
            JSONReader.read($0)
        }
        let outcome = result ?? Array(bytes).withUnsafeBufferPointer { JSONReader.read($0) }
        switch outcome {
        case .success(let document): self = document
        case .failure(let failure):
            throw ShaleError(.invalid, "\(what): not valid JSON", cause: "\(failure.reason) at byte \(failure.offset)")
        }
    }
}

/// A recursive-descent reader over bytes in memory; nesting is bounded.
private struct JSONReader {
    struct Failure: Error {
        var reason: String
        var offset: Int
    }

    private static let deepest = 256
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSONDocument, Failure> {
        var reader = JSONReader(bytes: bytes)
        do throws(Failure) {
            if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
            let value = try reader.value(depth: 0)
            reader.skipSpace()
            guard reader.position == bytes.count else { throw reader.failure("text after the end") }
            return .success(value)
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONDocument {
        guard depth <= Self.deepest else { throw failure("nested too deeply") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || (48...57).contains(byte): return try number()
        case nil: throw failure("unexpected end")
        default: throw failure("unexpected character")
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONDocument) throws(Failure) -> JSONDocument {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count,
            bytes[position..<position + count].elementsEqual(
                UnsafeBufferPointer(start: text.utf8Start, count: count))
        else { throw failure("unexpected word") }
        position += count
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONDocument {
        position += 1
        var members: [JSONDocument.Member] = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("a member's name is missing") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("a colon is missing") }
            position += 1
            let value = try value(depth: depth + 1)
            members.append(JSONDocument.Member(key, value))
            if try !goesOn(closing: UInt8(ascii: "}")) { return .object(Self.lastOfEach(members)) }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONDocument {
        position += 1
        var values: [JSONDocument] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            if try !goesOn(closing: UInt8(ascii: "]")) { return .array(values) }
        }
    }

    private mutating func goesOn(closing: UInt8) throws(Failure) -> Bool {
        skipSpace()
        switch current {
        case UInt8(ascii: ","):
            position += 1
            return true
        case closing:
            position += 1
            return false
        case nil: throw failure("unexpected end")
        default: throw failure("a comma is missing")
        }
    }

    /// Small objects are searched pairwise; only large ones pay for a table.
    private static func lastOfEach(_ members: [JSONDocument.Member]) -> [JSONDocument.Member] {
        if members.count <= 16 {
            for later in members.indices {
                for earlier in members.indices[..<later] where members[earlier].key == members[later].key {
                    return lastByTable(members)
                }
            }
            return members
        }
        return lastByTable(members)
    }

    private static func lastByTable(_ members: [JSONDocument.Member]) -> [JSONDocument.Member] {
        var places: [String: Int] = [:]
        var kept: [JSONDocument.Member] = []
        for member in members {
            if let place = places[member.key] {
                kept[place] = member
            } else {
                places[member.key] = kept.count
                kept.append(member)
            }
        }
        return kept
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            case 0..<0x20: throw failure("a control character in a string")
            default: position += 1
            }
        }
        throw failure("a string without an end")
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("a string without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = current else { throw failure("unexpected end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: Array(String(try scalar()).utf8))
        default: throw failure("an unknown escape")
        }
    }

    /// After `\u`; halves of a surrogate pair that stand alone become U+FFFD, but those that `JSONDocument` writes for
    /// bytes that are not UTF-8 become these.
    private mutating func scalar() throws(Failure) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let first = try fourDigits()
        if (0xDC80...0xDCFF).contains(first) { return OddByte.scalar(for: UInt8(first & 0xFF)) ?? replacement }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? replacement }
        guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return replacement }
        let back = position
        position += 2
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second) else {
            position = back
            return replacement
        }
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? replacement
    }

    private mutating func fourDigits() throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("an escape is cut short") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Unicode.Scalar(bytes[position]).properties.isASCIIHexDigit ? bytes[position] : nil else {
                throw failure("not a hexadecimal digit")
            }
            value = value << 4 | UInt32(digit <= 57 ? digit - 48 : (digit | 32) - 87)
            position += 1
        }
        return value
    }

    private mutating func number() throws(Failure) -> JSONDocument {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let whole = skipDigits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw failure("a malformed number")
        }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            guard skipDigits() > 0 else { throw failure("a malformed number") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw failure("a malformed number") }
        }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let value = Double(text) else { throw failure("a malformed number") }
        return .number(value)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, (48...57).contains(bytes[position]) { position += 1 }
        return position - start
    }
}
