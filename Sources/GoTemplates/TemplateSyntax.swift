import Basics

/// The syntax tree of a Go template; positions are byte offsets into its text.
indirect enum TemplateNode: Sendable {
    case text(String)
    case action(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case breakLoop
    case continueLoop
}

/// `$x := a | b c`.
struct TemplatePipeline: Sendable {
    var position: Int
    /// Variables with their `$`, set to the pipeline's value.
    var variables: [String] = []
    /// `=` instead of `:=`.
    var assigns = false
    var commands: [TemplateCommand] = []

    /// As Go prints it in messages.
    var source: String {
        let declaration = variables.isEmpty ? "" : variables.joined(separator: ", ") + (assigns ? " = " : " := ")
        return declaration + commands.map(\.source).joined(separator: " | ")
    }
}

/// An operand, or a function with its arguments.
struct TemplateCommand: Sendable {
    var position: Int
    var operands: [TemplateOperand] = []

    var source: String { operands.map(\.source).joined(separator: " ") }
}

struct TemplateOperand: Sendable {
    indirect enum Kind: Sendable {
        case dot
        case null
        case constant(JSONDocument)
        case function(String)
        case field([String])
        case variable(String, [String])
        case group(TemplatePipeline, [String])
    }

    var kind: Kind
    var position: Int
    var source: String
}

/// A template that cannot be read, in Go's words: `template: :1: unclosed action`.
struct TemplateSyntaxError: Error {
    var message: String
    var position: Int
}

/// A token inside `{{ … }}`.
struct TemplateToken: Sendable {
    enum Kind: Sendable, Equatable {
        case identifier
        case field
        case dot
        case variable
        case constant(JSONDocument)
        case pipe
        case comma
        case declare
        case assign
        case leftParenthesis
        case rightParenthesis
        case end
    }

    var kind: Kind
    var text: String
    var position: Int
    /// Whether a blank stands in front: `.A.B` is one operand, `.A .B` are two.
    var isSpaced: Bool
}

/// Splits an action's bytes into tokens.
struct TemplateLexer {
    let bytes: [UInt8]
    var position: Int
    let end: Int

    /// The tokens between two byte offsets, closed by an `.end`.
    mutating func tokens() throws(TemplateSyntaxError) -> [TemplateToken] {
        var found: [TemplateToken] = []
        while true {
            let start = position
            while position < end, isSpace(bytes[position]) { position += 1 }
            let isSpaced = position > start || found.isEmpty
            let tokenStart = position
            guard position < end else {
                found.append(TemplateToken(kind: .end, text: "", position: position, isSpaced: true))
                return found
            }
            let kind = try kind()
            found.append(
                TemplateToken(
                    kind: kind, text: String(decoding: bytes[tokenStart..<position], as: UTF8.self),
                    position: tokenStart, isSpaced: isSpaced))
        }
    }

    private mutating func kind() throws(TemplateSyntaxError) -> TemplateToken.Kind {
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "|"): return single(.pipe)
        case UInt8(ascii: ","): return single(.comma)
        case UInt8(ascii: "("): return single(.leftParenthesis)
        case UInt8(ascii: ")"): return single(.rightParenthesis)
        case UInt8(ascii: "="): return single(.assign)
        case UInt8(ascii: ":"):
            guard peek(1) == UInt8(ascii: "=") else { throw failure("expected :=") }
            position += 2
            return .declare
        case UInt8(ascii: "\""): return .constant(.string(try quotedString()))
        case UInt8(ascii: "`"): return .constant(.string(try rawString()))
        case UInt8(ascii: "'"): return .constant(.integer(try character()))
        case UInt8(ascii: "$"):
            position += 1
            word()
            return .variable
        case UInt8(ascii: "."):
            if let next = peek(1), isDigit(next) { return .constant(try number()) }
            position += 1
            let start = position
            word()
            return position > start ? .field : .dot
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return .constant(try number())
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard let next = peek(1), isDigit(next) || next == UInt8(ascii: ".") else { throw badCharacter() }
            return .constant(try number())
        default:
            guard isLetter(byte) else { throw badCharacter() }
            word()
            return .identifier
        }
    }

    private mutating func single(_ kind: TemplateToken.Kind) -> TemplateToken.Kind {
        position += 1
        return kind
    }

    private mutating func word() {
        while position < end, isLetter(bytes[position]) || isDigit(bytes[position]) { position += 1 }
    }

    private mutating func quotedString() throws(TemplateSyntaxError) -> String {
        position += 1
        var content: [UInt8] = []
        while position < end {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: content, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\\") { content += try escape() } else { content.append(byte) }
        }
        throw failure("unterminated quoted string")
    }

    private mutating func rawString() throws(TemplateSyntaxError) -> String {
        position += 1
        let start = position
        while position < end {
            if bytes[position] == UInt8(ascii: "`") {
                position += 1
                return String(decoding: bytes[start..<position - 1], as: UTF8.self)
            }
            position += 1
        }
        throw failure("unterminated raw quoted string")
    }

    private mutating func character() throws(TemplateSyntaxError) -> Int64 {
        position += 1
        var content: [UInt8] = []
        while position < end, bytes[position] != UInt8(ascii: "'") {
            if bytes[position] == UInt8(ascii: "\\") {
                position += 1
                content += try escape()
            } else {
                content.append(bytes[position])
                position += 1
            }
        }
        guard position < end else { throw failure("unterminated character constant") }
        position += 1
        let scalars = String(decoding: content, as: UTF8.self).unicodeScalars
        guard let scalar = scalars.first, scalars.count == 1 else { throw failure("malformed character constant") }
        return Int64(scalar.value)
    }

    private mutating func escape() throws(TemplateSyntaxError) -> [UInt8] {
        guard position < end else { throw failure("unterminated quoted string") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "a"): return [7]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "v"): return [11]
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return [byte]
        case UInt8(ascii: "x"): return [UInt8(truncatingIfNeeded: try hexadecimal(2))]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let value = try hexadecimal(byte == UInt8(ascii: "u") ? 4 : 8)
            guard let scalar = Unicode.Scalar(value) else { throw failure("invalid syntax") }
            return Array(String(scalar).utf8)
        default: throw failure("invalid syntax")
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(TemplateSyntaxError) -> UInt32 {
        guard position + count <= end,
            let value = UInt32(String(decoding: bytes[position..<position + count], as: UTF8.self), radix: 16)
        else { throw failure("invalid syntax") }
        position += count
        return value
    }

    private mutating func number() throws(TemplateSyntaxError) -> JSONDocument {
        let start = position
        position += 1
        while position < end {
            let byte = bytes[position]
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let afterExponent = bytes[position - 1] | 0x20 == UInt8(ascii: "e")
            guard isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: ".") || (isSign && afterExponent) else {
                break
            }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        let digits = text.filter { $0 != "_" }
        if let value = Int64(digits) { return .integer(value) }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.lowercased().hasPrefix(prefix) {
            if let value = Int64(digits.dropFirst(2), radix: radix) { return .integer(value) }
        }
        if let value = Double(digits), value.isFinite { return .number(value) }
        throw failure("bad number syntax: \(Self.quoted(text))")
    }

    private func peek(_ offset: Int) -> UInt8? { position + offset < end ? bytes[position + offset] : nil }

    private func failure(_ message: String) -> TemplateSyntaxError {
        TemplateSyntaxError(message: message, position: position)
    }

    private func badCharacter() -> TemplateSyntaxError {
        let rest = String(decoding: bytes[position..<end], as: UTF8.self)
        let scalar = rest.unicodeScalars.first ?? "?"
        let code = String(scalar.value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        return failure("unexpected bad character U+\(padded) '\(String(scalar).visible)' in command")
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private func isLetter(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 || byte >= 0x80
    }

    /// A text in Go's `%q`.
    static func quoted(_ text: String) -> String { goQuoted(text) }
}
