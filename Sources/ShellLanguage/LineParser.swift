package import Basics

/// Reads shale's language: text in, statements out; nothing is looked up and nothing runs.
package struct LineParser: Sendable {
    /// Where the text comes from: what a person types or pastes may carry a prompt in front, a script may not.
    package enum Origin: Sendable, Equatable {
        case prompt
        case script
    }

    package var origin: Origin
    /// The verbs and aliases: behind a prompt sign, a command that begins with any other word is the host's.
    package var commands: Set<String>

    /// How other tools name these verbs.
    package var spelling: Spelling

    package init(origin: Origin, commands: Set<String>, spelling: Spelling = Spelling()) {
        self.origin = origin
        self.commands = commands
        self.spelling = spelling
    }

    /// Reads a whole text: one line, a pasted buffer, or a script.
    ///
    /// - Parameters:
    ///   - text: Any number of lines.
    ///   - firstLine: The number of its first line, for ``Statement/line``.
    /// - Returns: The statements, or why more lines are needed.
    /// - Throws: `usage` for a text that no further line can mend.
    package func parse(_ text: String, firstLine: Int = 1) throws(ShaleError) -> ParseResult {
        let text = origin == .prompt ? Transcript.commandsOnly(text, by: self) : text
        var reader = StatementReader(text, parser: self, firstLine: firstLine)
        do throws(LineStop) {
            return .complete(try reader.statements())
        } catch {
            switch error {
            case .incomplete(let reason): return .incomplete(reason)
            case .failure(let failure): throw failure
            }
        }
    }

    /// Reads a text that cannot go on, such as the value of `-c`.
    ///
    /// - Throws: `usage` when it is malformed or ends too early.
    package func statements(in text: String, firstLine: Int = 1) throws(ShaleError) -> [Statement] {
        switch try parse(text, firstLine: firstLine) {
        case .complete(let statements): return statements
        case .incomplete(let reason): throw reason.error
        }
    }
}

/// The statement level of the language.
struct StatementReader {
    var scanner: LineScanner
    let parser: LineParser
    let firstLine: Int
    var found: [Statement] = []
    var pending: [PendingHereDocument] = []
    private var condition = Statement.Condition.always
    private var countedTo = 0
    private var countedLines = 0

    init(_ text: String, parser: LineParser, firstLine: Int) {
        scanner = LineScanner(text)
        self.parser = parser
        self.firstLine = firstLine
    }

    mutating func statements() throws(LineStop) -> [Statement] {
        while !scanner.isAtEnd {
            try logicalLine()
        }
        if condition != .always { throw .incomplete(.operand(condition.symbol)) }
        return found
    }

    /// Reads statements up to a newline outside of everything, and the here-documents that follow it.
    private mutating func logicalLine() throws(LineStop) {
        let isPrivate = scanner.current?.isBlank ?? false
        try scanner.skipBlanks()
        let prompt = PastedPrompt.length(in: scanner, origin: parser.origin)
        if prompt > 0 {
            scanner.position += prompt
            try scanner.skipBlanks()
        }
        var marks = LineMarks(
            isPrivate: isPrivate && prompt == 0, isSigned: prompt > 0, dropped: prompt > 0 ? ["$"] : [])
        if condition == .always, StepKeyword.starts(scanner) {
            try step(marks)
            return
        }
        if condition == .always, let start = StepKeyword.startBehindVerb(in: scanner) {
            try verb(instructionAt: start, marks)
            return
        }
        while try statement(&marks) {}
        try finishHereDocuments()
    }

    /// Reads one statement and the operator after it; false at the end of the line.
    private mutating func statement(_ marks: inout LineMarks) throws(LineStop) -> Bool {
        try scanner.skipBlanks()
        let start = scanner.position
        let line = lineNumber(at: start)
        if endLine() {
            // `a &&` at the end of a line goes on with the next one.
            return false
        }
        let index = found.count
        guard let body = try body(statementIndex: index, marks: &marks) else {
            throw .failure(unexpected(at: scanner.position))
        }
        var source = scanner.text(from: start).trimmingBlanksAtEnd
        // Without a prompt sign it is a host command only after a `!`.
        if case .host(let text) = body, !source.hasPrefix("!"), !source.hasPrefix("\\!") { source = "!" + text }
        found.append(
            Statement(
                body, condition: condition, source: source, line: line, isPrivate: marks.isPrivate,
                dropped: marks.dropped))
        found[index].isSigned = marks.isSigned
        condition = .always
        marks.dropped = []
        return try joint()
    }

    /// Passes the end of the line, and a comment before it.
    private mutating func endLine() -> Bool {
        if scanner.current == "#" { scanner.skipToLineEnd() }
        if scanner.isAtEnd { return true }
        guard scanner.current == "\n" else { return false }
        scanner.position += 1
        return true
    }

    /// Reads what joins this statement to the next; false when the line ends here.
    private mutating func joint() throws(LineStop) -> Bool {
        try scanner.skipBlanks()
        if scanner.skip("&&") {
            condition = .success
            return true
        }
        if scanner.skip("||") {
            condition = .failure
            return true
        }
        if scanner.current == ";" {
            if scanner.peek(1) == ";" { throw .failure(unexpected(at: scanner.position)) }
            scanner.position += 1
            return true
        }
        if endLine() { return false }
        throw .failure(unexpected(at: scanner.position))
    }

    private mutating func body(
        statementIndex: Int, marks: inout LineMarks
    ) throws(LineStop) -> Statement.Body? {
        if scanner.current == "!" || scanner.starts(with: "\\!") { return try exclamation(statementIndex) }
        if let word = MetaCommand.word(in: scanner) {
            scanner.position += 2
            var command = try command(statementIndex: statementIndex)
            command.words.insert(Word(word), at: 0)
            return .command(command)
        }
        if marks.isSigned, try startsHostCommand() {
            return .host(try hostText(upToOperators: true, index: statementIndex))
        }
        if let assignment = try assignment(statementIndex) { return .assignment(assignment) }
        var command = try command(statementIndex: statementIndex)
        if command.words.isEmpty, command.redirections.isEmpty { return nil }
        marks.dropped += parser.spelling.normalise(&command.words)
        return .command(command)
    }

    /// Whether a host command begins here, behind a prompt sign: a word that is no command of shale's.
    ///
    /// What may be in front of a tool's name is looked past; the scanner stays where it is.
    private mutating func startsHostCommand() throws(LineStop) -> Bool {
        let start = scanner.position
        defer { scanner.position = start }
        var words: [Word] = []
        while words.count < Self.mostWordsBeforeVerb {
            let word = try scanner.word()
            if word.parts.isEmpty { break }
            words.append(word)
            try scanner.skipBlanks()
            // `name = …` is shale's own.
            if words.count == 1, word.plain?.isAssignableName ?? false, scanner.current == "=",
                scanner.peek(1).map({ $0.endsWord }) ?? true
            {
                return false
            }
        }
        guard let first = words.first, first.constant != nil else { return false }
        // Of `cat` without a place the host's is meant: `$ cat > Dockerfile <<EOF`.
        if first.plain == "cat", words.dropFirst().allSatisfy({ $0.plain == "-" }) { return true }
        if parser.spelling.isCommand(words, commands: parser.commands) { return false }
        // `name=value` alone sets a variable of shale's, and so does `export name=value`.
        return !(words.count == 1 && first.isSetting)
    }

    private static let mostWordsBeforeVerb = 12

    // MARK: Assignment

    private mutating func assignment(_ statementIndex: Int) throws(LineStop) -> Assignment? {
        let start = scanner.position
        var word = try scanner.word()
        if word.plain == "export" {
            // As the host's shell writes it; no container's name holds a `=`.
            try scanner.skipBlanks()
            word = try scanner.word()
            guard word.isSetting else {
                scanner.position = start
                return nil
            }
        }
        // `name=value`, as the host's shell writes it.
        if case .literal(let text, false)? = word.parts.first, let equals = text.firstIndex(of: "="),
            String(text[..<equals]).isAssignableName
        {
            var value = word
            value.parts[0] = .literal(String(text[text.index(after: equals)...]), quoted: false)
            if value.parts.count > 1, value.parts[0] == .literal("", quoted: false) { value.parts.removeFirst() }
            value.source = String(word.source.dropFirst(text[...equals].count))
            try scanner.skipBlanks()
            if atStatementEnd {
                let words = value.source.isEmpty ? [] : [value]
                return Assignment(name: String(text[..<equals]), source: .command(Command(words: words)))
            }
            if try isSettingOfTool(from: start) { return nil }
            throw .failure(
                ShaleError(
                    .usage, "syntax error", cause: "\(word.source): a value with spaces needs quotes",
                    hint: "\(text[..<equals]) = …"))
        }
        guard let name = word.plain, name.isAssignableName else {
            scanner.position = start
            return nil
        }
        try scanner.skipBlanks()
        guard scanner.current == "=", scanner.peek(1).map({ $0.endsWord }) ?? true else {
            scanner.position = start
            return nil
        }
        scanner.position += 1
        try scanner.skipBlanks()
        if scanner.current == "!" {
            scanner.position += 1
            return Assignment(name: name, source: .host(try hostText(upToOperators: false, index: statementIndex)))
        }
        var command = try command(statementIndex: statementIndex)
        _ = parser.spelling.normalise(&command.words)
        return Assignment(name: name, source: .command(command))
    }

    /// Whether `NAME=value …` stands before `docker`; the scanner goes back to the start then.
    private mutating func isSettingOfTool(from start: Int) throws(LineStop) -> Bool {
        let here = scanner.position
        scanner.position = start
        var word = try scanner.word()
        while word.isSetting {
            try scanner.skipBlanks()
            word = try scanner.word()
        }
        let isTool = word.plain == "sudo" || word.plain.map(Spelling.tools.contains) ?? false
        scanner.position = isTool ? start : here
        return isTool
    }

    private var atStatementEnd: Bool {
        switch scanner.current {
        case nil, "\n", ";", "#": true
        case "&": scanner.peek(1) == "&"
        case "|": scanner.peek(1) == "|"
        default: false
        }
    }

    // MARK: Places

    mutating func lineNumber(at position: Int) -> Int {
        if position < countedTo {
            countedTo = 0
            countedLines = 0
        }
        for index in countedTo..<min(position, scanner.scalars.count) where scanner.scalars[index] == "\n" {
            countedLines += 1
        }
        countedTo = max(countedTo, min(position, scanner.scalars.count))
        return firstLine + countedLines
    }

    func unexpected(at position: Int) -> ShaleError {
        guard position < scanner.scalars.count else {
            return ShaleError(.usage, "syntax error", cause: "unexpected end of the line")
        }
        let scalar = scanner.scalars[position]
        if scalar == "&" {
            return ShaleError(
                .usage, "syntax error", cause: "unexpected &",
                hint: "there are no background jobs: use run -d, or quote the word")
        }
        return ShaleError(.usage, "syntax error", cause: "unexpected \(String(scalar).visible)")
    }
}

/// What is known about a line before its first statement is read.
struct LineMarks {
    var isPrivate: Bool
    /// A prompt sign stood in front of it.
    var isSigned = false
    var dropped: [String]
}

extension Statement.Condition {
    var symbol: String {
        switch self {
        case .always: ";"
        case .success: "&&"
        case .failure: "||"
        }
    }
}
