/// A strict reader of the little JSON a Dockerfile may hold (RFC 8259): arrays of strings, and one object.
struct JSONScanner {
    /// A value as far as anyone here asks.
    enum Value: Hashable {
        case string(String)
        case array([Value])
        case object([String: Value])
        case other
    }

    private struct Malformed: Error {}

    /// Values nested deeper than this are not taken for JSON.
    private static let maximumDepth = 128

    private let text: Scalars
    private var position = 0

    private init(_ text: Scalars) {
        self.text = text
    }

    /// The value that `text` is, whole; `nil` if it is not JSON.
    static func value(_ text: some Sequence<Unicode.Scalar>) -> Value? {
        var scanner = JSONScanner(Array(text))
        guard let value = try? scanner.value(depth: 0) else { return nil }
        scanner.skipBlanks()
        return scanner.position == scanner.text.count ? value : nil
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func skipBlanks() {
        while let scalar = next, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar) throws(Malformed) {
        if !take(scalar) { throw Malformed() }
    }

    private mutating func value(depth: Int) throws(Malformed) -> Value {
        guard depth < Self.maximumDepth else { throw Malformed() }
        skipBlanks()
        switch next {
        case "[": return try array(depth: depth)
        case "{": return try object(depth: depth)
        case "\"": return .string(try string())
        case "t": return try word("true")
        case "f": return try word("false")
        case "n": return try word("null")
        default: return try number()
        }
    }

    private mutating func array(depth: Int) throws(Malformed) -> Value {
        position += 1
        skipBlanks()
        var elements: [Value] = []
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .array(elements) }
            try expect(",")
        }
    }

    private mutating func object(depth: Int) throws(Malformed) -> Value {
        position += 1
        skipBlanks()
        var members: [String: Value] = [:]
        if take("}") { return .object(members) }
        while true {
            skipBlanks()
            let key = try string()
            skipBlanks()
            try expect(":")
            members[key] = try value(depth: depth + 1)
            skipBlanks()
            if take("}") { return .object(members) }
            try expect(",")
        }
    }

    private mutating func word(_ word: String) throws(Malformed) -> Value {
        for scalar in word.unicodeScalars { try expect(scalar) }
        return .other
    }

    private mutating func digits() throws(Malformed) {
        guard let first = next, first.isASCII, first.isDigit else { throw Malformed() }
        while let scalar = next, scalar.isASCII, scalar.isDigit { position += 1 }
    }

    private mutating func number() throws(Malformed) -> Value {
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return .other
    }

    private mutating func string() throws(Malformed) -> String {
        try expect("\"")
        var content = String.UnicodeScalarView()
        while let scalar = next {
            position += 1
            switch scalar {
            case "\"": return String(content)
            case "\\": content.append(try escaped())
            case _ where scalar.value < 0x20: throw Malformed()
            default: content.append(scalar)
            }
        }
        throw Malformed()
    }

    private mutating func escaped() throws(Malformed) -> Unicode.Scalar {
        guard let scalar = next else { throw Malformed() }
        position += 1
        switch scalar {
        case "\"", "\\", "/": return scalar
        case "b": return "\u{08}"
        case "f": return "\u{0c}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": return try codePoint()
        default: throw Malformed()
        }
    }

    /// The scalar of `\uXXXX`, or of a pair of them; a lone surrogate is the replacement character.
    private mutating func codePoint() throws(Malformed) -> Unicode.Scalar {
        let high = try codeUnit()
        if let scalar = Unicode.Scalar(UInt32(high)) { return scalar }
        let mark = position
        if UTF16.isLeadSurrogate(high), take("\\"), take("u") {
            let low = try codeUnit()
            if UTF16.isTrailSurrogate(low) {
                return Unicode.Scalar(0x1_0000 + (UInt32(high) - 0xd800) << 10 + UInt32(low) - 0xdc00) ?? "\u{fffd}"
            }
        }
        position = mark
        return "\u{fffd}"
    }

    private mutating func codeUnit() throws(Malformed) -> UInt16 {
        guard text.count - position >= 4 else { throw Malformed() }
        let digits = text[position..<position + 4]
        guard digits.allSatisfy({ $0.properties.isASCIIHexDigit }), let unit = UInt16(String(digits), radix: 16) else {
            throw Malformed()
        }
        position += 4
        return unit
    }
}
