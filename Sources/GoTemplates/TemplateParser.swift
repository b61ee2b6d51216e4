import Basics

/// Reads a Go template into its tree.
struct TemplateParser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var variables: Set<String> = ["$"]
    private var loops = 0

    /// Blocks and parentheses inside each other; real templates have three.
    private static let deepest = 100

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The 1-based line and the 0-based byte column of an offset, as Go counts them in messages.
    static func place(of position: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes[..<min(max(0, position), bytes.count)]
        let line = 1 + before.reduce(0) { $0 + ($1 == 10 ? 1 : 0) }
        let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
        return (line, before.count - start)
    }

    mutating func parse() throws(TemplateSyntaxError) -> [TemplateNode] {
        let (nodes, terminator) = try list()
        if let terminator { throw failure("unexpected {{\(terminator.word)}}", at: terminator.position) }
        return nodes
    }

    // MARK: Lists

    /// What ends a list: `end`, or `else` with the tokens after it.
    private struct Terminator {
        var word: String
        var position: Int
        var rest: [TemplateToken]
    }

    /// Reads nodes up to `{{end}}`, `{{else}}` or the end of the text.
    private mutating func list() throws(TemplateSyntaxError) -> ([TemplateNode], Terminator?) {
        var nodes: [TemplateNode] = []
        let outer = variables
        defer { variables = outer }
        depth += 1
        defer { depth -= 1 }
        if depth > Self.deepest { throw failure("blocks nested too deeply", at: position) }
        while true {
            guard let action = try nextAction(into: &nodes) else { return (nodes, nil) }
            var tokens = TokenStream(try lex(action))
            guard tokens.current.kind == .identifier else {
                let pipeline = try pipeline(&tokens, context: "command")
                try expectEnd(tokens)
                nodes.append(.action(pipeline))
                continue
            }
            let word = tokens.current
            switch word.text {
            case "end", "else":
                tokens.advance()
                return (nodes, Terminator(word: word.text, position: word.position, rest: tokens.rest))
            case "if", "with", "range":
                tokens.advance()
                nodes.append(try block(word.text, &tokens))
            case "break", "continue":
                if loops == 0 { throw failure("{{\(word.text)}} outside {{range}}", at: word.position) }
                nodes.append(word.text == "break" ? .breakLoop : .continueLoop)
            case "define", "template", "block":
                throw failure("{{\(word.text)}} is not supported", at: word.position)
            default:
                let pipeline = try pipeline(&tokens, context: "command")
                try expectEnd(tokens)
                nodes.append(.action(pipeline))
            }
        }
    }

    private mutating func block(_ word: String, _ tokens: inout TokenStream) throws(TemplateSyntaxError) -> TemplateNode
    {
        let outer = variables
        defer { variables = outer }
        let condition = try pipeline(&tokens, context: word)
        try expectEnd(tokens)
        if word == "range" { loops += 1 }
        let (body, terminator) = try list()
        if word == "range" { loops -= 1 }
        guard let terminator else { throw failure("unexpected EOF", at: bytes.count) }
        var otherwise: [TemplateNode] = []
        if terminator.word == "else" {
            var rest = TokenStream(terminator.rest)
            let chained = rest.current.kind == .identifier && rest.current.text == word && word != "range"
            if chained {
                rest.advance()
                depth += 1
                defer { depth -= 1 }
                if depth > Self.deepest { throw failure("blocks nested too deeply", at: position) }
                otherwise = [try block(word, &rest)]
            } else {
                try expectEnd(rest)
                let (nodes, end) = try list()
                guard let end else { throw failure("unexpected EOF", at: bytes.count) }
                if end.word != "end" { throw failure("expected end; found {{else}}", at: end.position) }
                otherwise = nodes
            }
        }
        switch word {
        case "if": return .condition(condition, then: body, otherwise: otherwise)
        case "with": return .with(condition, then: body, otherwise: otherwise)
        default: return .range(condition, body: body, otherwise: otherwise)
        }
    }

    // MARK: Text and actions

    /// Appends the text up to the next action and returns the action's inner range; `nil` at the end.
    private mutating func nextAction(
        into nodes: inout [TemplateNode]
    ) throws(TemplateSyntaxError) -> Range<Int>? {
        while true {
            guard let open = find("{{", from: position) else {
                append(position..<bytes.count, trimEnd: false, to: &nodes)
                position = bytes.count
                return nil
            }
            let trimsBefore = open + 3 < bytes.count && bytes[open + 2] == 45 && isSpace(bytes[open + 3])
            append(position..<open, trimEnd: trimsBefore, to: &nodes)
            let start = open + (trimsBefore ? 3 : 2)
            var comment = start
            while trimsBefore, comment < bytes.count, isSpace(bytes[comment]) { comment += 1 }
            if starts(with: "/*", at: comment) {
                position = try passComment(from: comment, open: open)
                continue
            }
            let (end, close, trimsAfter) = try actionEnd(from: start)
            position = close
            if trimsAfter { while position < bytes.count, isSpace(bytes[position]) { position += 1 } }
            return start..<end
        }
    }

    private mutating func passComment(from start: Int, open: Int) throws(TemplateSyntaxError) -> Int {
        guard let end = find("*/", from: start + 2) else { throw failure("unclosed comment", at: open) }
        var after = end + 2
        if starts(with: "}}", at: after) { return after + 2 }
        while after < bytes.count, isSpace(bytes[after]) { after += 1 }
        guard after > end + 2, starts(with: "-}}", at: after) else {
            throw failure("comment ends before closing delimiter", at: open)
        }
        after += 3
        while after < bytes.count, isSpace(bytes[after]) { after += 1 }
        return after
    }

    /// Where an action's content ends, and where the text after it starts; strings are skipped.
    private func actionEnd(from start: Int) throws(TemplateSyntaxError) -> (Int, Int, Bool) {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`") {
                index += 1
                while index < bytes.count, bytes[index] != byte {
                    index += bytes[index] == UInt8(ascii: "\\") && byte != UInt8(ascii: "`") ? 2 : 1
                }
            } else if starts(with: "}}", at: index) {
                let trims = index - 2 >= start && bytes[index - 1] == 45 && isSpace(bytes[index - 2])
                return (trims ? index - 1 : index, index + 2, trims)
            }
            index += 1
        }
        // A quote left open is found by the lexer, with a better message.
        _ = try lex(start..<bytes.count)
        throw failure("unclosed action", at: bytes.count)
    }

    private func append(_ range: Range<Int>, trimEnd: Bool, to nodes: inout [TemplateNode]) {
        var end = range.upperBound
        while trimEnd, end > range.lowerBound, isSpace(bytes[end - 1]) { end -= 1 }
        guard end > range.lowerBound else { return }
        nodes.append(.text(String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)))
    }

    private func lex(_ range: Range<Int>) throws(TemplateSyntaxError) -> [TemplateToken] {
        var lexer = TemplateLexer(bytes: bytes, position: range.lowerBound, end: range.upperBound)
        return try lexer.tokens()
    }

    private func find(_ text: String, from start: Int) -> Int? {
        var index = start
        while index + 1 < bytes.count {
            if starts(with: text, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func starts(with text: String, at index: Int) -> Bool {
        index >= 0 && bytes.dropFirst(index).starts(with: text.utf8)
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 10 || byte == 13 }

    // MARK: Pipelines

    private mutating func pipeline(
        _ tokens: inout TokenStream, context: String
    ) throws(TemplateSyntaxError) -> TemplatePipeline {
        var pipeline = TemplatePipeline(position: tokens.current.position)
        try declaration(&tokens, into: &pipeline, context: context)
        while true {
            let command = try command(&tokens, context: context)
            pipeline.commands.append(command)
            if pipeline.commands.count > 1, !command.isExecutable {
                throw failure(
                    "non executable command in pipeline stage \(pipeline.commands.count)", at: command.position)
            }
            guard tokens.current.kind == .pipe else { break }
            tokens.advance()
            if tokens.current.kind == .end {
                throw failure("missing value for \(context)", at: tokens.current.position)
            }
        }
        if !pipeline.assigns { variables.formUnion(pipeline.variables) }
        return pipeline
    }

    private mutating func declaration(
        _ tokens: inout TokenStream, into pipeline: inout TemplatePipeline, context: String
    ) throws(TemplateSyntaxError) {
        guard tokens.current.kind == .variable else { return }
        let first = tokens.current.text
        let next = tokens.peek
        if next.kind == .declare || next.kind == .assign {
            pipeline.variables = [first]
            pipeline.assigns = next.kind == .assign
            tokens.advance(2)
        } else if next.kind == .comma, context == "range" {
            tokens.advance(2)
            guard tokens.current.kind == .variable, tokens.peek.kind == .declare || tokens.peek.kind == .assign else {
                throw failure("range can only initialize variables", at: tokens.current.position)
            }
            pipeline.variables = [first, tokens.current.text]
            pipeline.assigns = tokens.peek.kind == .assign
            tokens.advance(2)
        }
        for name in pipeline.variables where pipeline.assigns && !variables.contains(name) {
            throw failure("undefined variable \(TemplateLexer.quoted(name))", at: pipeline.position)
        }
    }

    private mutating func command(
        _ tokens: inout TokenStream, context: String
    ) throws(TemplateSyntaxError) -> TemplateCommand {
        var command = TemplateCommand(position: tokens.current.position)
        while true {
            switch tokens.current.kind {
            case .end, .pipe, .rightParenthesis:
                if command.operands.isEmpty {
                    throw failure("missing value for \(context)", at: tokens.current.position)
                }
                return command
            default:
                command.operands.append(try operand(&tokens))
            }
        }
    }

    private mutating func operand(_ tokens: inout TokenStream) throws(TemplateSyntaxError) -> TemplateOperand {
        let token = tokens.current
        tokens.advance()
        switch token.kind {
        case .dot: return TemplateOperand(kind: .dot, position: token.position, source: ".")
        case .constant(let value):
            return TemplateOperand(kind: .constant(value), position: token.position, source: token.text)
        case .field:
            let (names, source) = fields(&tokens, first: token.text)
            return TemplateOperand(kind: .field(names), position: token.position, source: source)
        case .variable:
            if !variables.contains(token.text) {
                throw failure("undefined variable \(TemplateLexer.quoted(token.text))", at: token.position)
            }
            let (names, source) = fields(&tokens, first: nil)
            return TemplateOperand(
                kind: .variable(token.text, names), position: token.position, source: token.text + source)
        case .identifier: return try identifier(token)
        case .leftParenthesis:
            depth += 1
            defer { depth -= 1 }
            if depth > Self.deepest { throw failure("parentheses nested too deeply", at: token.position) }
            let pipeline = try pipeline(&tokens, context: "parenthesized pipeline")
            guard tokens.current.kind == .rightParenthesis else {
                throw failure("unclosed left paren", at: token.position)
            }
            tokens.advance()
            let (names, source) = fields(&tokens, first: nil)
            return TemplateOperand(
                kind: .group(pipeline, names), position: token.position, source: "(\(pipeline.source))\(source)")
        default:
            throw failure("unexpected \(TemplateLexer.quoted(token.text)) in operand", at: token.position)
        }
    }

    private func identifier(_ token: TemplateToken) throws(TemplateSyntaxError) -> TemplateOperand {
        let kind: TemplateOperand.Kind
        switch token.text {
        case "true": kind = .constant(.bool(true))
        case "false": kind = .constant(.bool(false))
        case "nil": kind = .null
        default:
            guard TemplateFunctions.names.contains(token.text) else {
                throw failure("function \(TemplateLexer.quoted(token.text)) not defined", at: token.position)
            }
            kind = .function(token.text)
        }
        return TemplateOperand(kind: kind, position: token.position, source: token.text)
    }

    /// The names of `.A.B`, as long as no blank stands between them.
    private func fields(_ tokens: inout TokenStream, first: String?) -> ([String], String) {
        var source = first ?? ""
        while tokens.current.kind == .field, !tokens.current.isSpaced {
            source += tokens.current.text
            tokens.advance()
        }
        return (source.split(separator: ".").map(String.init), source)
    }

    private func expectEnd(_ tokens: TokenStream) throws(TemplateSyntaxError) {
        guard tokens.current.kind != .end else { return }
        let text = TemplateLexer.quoted(tokens.current.text)
        throw failure("unexpected \(text) in command", at: tokens.current.position)
    }

    private func failure(_ message: String, at position: Int) -> TemplateSyntaxError {
        TemplateSyntaxError(message: message, position: position)
    }
}

extension TemplateCommand {
    /// Whether something piped into it has a place to go.
    fileprivate var isExecutable: Bool {
        switch operands.first?.kind {
        case .function, .field, .variable, .group: true
        default: false
        }
    }
}

/// Tokens with a position; past the end it stays on the last one.
private struct TokenStream {
    private let tokens: [TemplateToken]
    private var index = 0

    init(_ tokens: [TemplateToken]) {
        self.tokens =
            tokens.isEmpty ? [TemplateToken(kind: .end, text: "", position: 0, isSpaced: true)] : tokens
    }

    var current: TemplateToken { tokens[min(index, tokens.count - 1)] }
    var peek: TemplateToken { tokens[min(index + 1, tokens.count - 1)] }
    var rest: [TemplateToken] { Array(tokens.dropFirst(min(index, tokens.count - 1))) }

    mutating func advance(_ count: Int = 1) { index = min(index + count, tokens.count - 1) }
}
