import Basics

/// Finds where a stretch of the host's shell language ends, without understanding it.
///
/// Quotes, `$(…)`, comments, here-documents and the shell's compound commands are passed as wholes, so that
/// `images -q | while read i; do echo $i; done` is one pipeline and not three statements.
struct HostText {
    var scanner: LineScanner
    /// Ends at `;`, `&&` and `||` as well as at the newline: the right-hand side of a pipe.
    let stopsAtOperators: Bool
    var hereDocuments: [PendingHereDocument] = []
    /// Open compound commands, by their first words.
    private var blocks: [String] = []
    private var atCommand = true

    init(scanner: LineScanner, stopsAtOperators: Bool) {
        self.scanner = scanner
        self.stopsAtOperators = stopsAtOperators
    }

    /// Reads the stretch and returns it without surrounding blanks.
    mutating func read() throws(LineStop) -> String {
        let start = scanner.position
        while let scalar = scanner.current {
            if scalar == "\n" {
                if blocks.isEmpty { break }
                scanner.position += 1
                atCommand = true
            } else if scalar == ";" || scalar == "&" || scalar == "|" {
                if blocks.isEmpty, stopsAtOperators, isOperator { break }
                scanner.position += 1
                atCommand = true
            } else if scalar.isBlank {
                scanner.position += 1
            } else if scalar == "#" {
                scanner.skipToLineEnd()
            } else if scalar == "(" || scalar == ")" {
                open(or: String(scalar))
                scanner.position += 1
                atCommand = scalar == "("
            } else if scalar == "<" || scalar == ">" {
                try redirection()
            } else {
                try word()
            }
        }
        if let block = blocks.last { throw .incomplete(.hostBlock(block)) }
        return scanner.text(from: start).trimmingBlanks
    }

    private var isOperator: Bool {
        scanner.current == ";" || scanner.starts(with: "&&") || scanner.starts(with: "||")
    }

    private mutating func redirection() throws(LineStop) {
        let isHereDocument = scanner.starts(with: "<<") && scanner.peek(2) != "<"
        if !isHereDocument {
            while scanner.current == "<" || scanner.current == ">" || scanner.current == "&" { scanner.position += 1 }
            return
        }
        scanner.position += 2
        let stripsTabs = scanner.skip("-")
        try scanner.skipBlanks()
        let word = try scanner.word()
        hereDocuments.append(
            PendingHereDocument(
                destination: .hostText(statement: 0), delimiter: word.constant ?? word.source, stripsTabs: stripsTabs,
                expands: false))
    }

    private mutating func word() throws(LineStop) {
        let start = scanner.position
        while let scalar = scanner.current, !scalar.endsWord, scalar != "(", scalar != ")" {
            if scalar == "'" || scalar == "\"" || scalar == "\\" || scalar == "$" {
                try quotedPiece()
            } else if scalar == "`" {
                _ = try scanner.backquoted()
            } else {
                scanner.position += 1
            }
        }
        let text = scanner.text(from: start)
        guard atCommand else { return }
        atCommand = HostText.leaders.contains(text)
        open(or: text)
    }

    /// Passes one quoted or substituted piece by reading it the way our own words are read.
    private mutating func quotedPiece() throws(LineStop) {
        if scanner.current == "$" {
            var ignored = WordParts()
            let isOurs = scanner.peek(1) == "(" && scanner.peek(2) != "("
            if isOurs { try scanner.dollar(into: &ignored, quoted: false) } else { scanner.position += 1 }
        } else {
            _ = try scanner.quotedPiece()
        }
    }

    private mutating func open(or text: String) {
        switch text {
        case "while", "until", "for", "if", "case", "{", "(": blocks.append(text)
        // A `)` also ends a pattern of `case`, which opens nothing.
        case ")": if blocks.last == "(" { blocks.removeLast() }
        case "done", "fi", "esac", "}": if !blocks.isEmpty { blocks.removeLast() }
        default: return
        }
    }

    /// Words after which a command may follow.
    private static let leaders: Set<String> = [
        "while", "until", "if", "then", "else", "elif", "do", "{", "!", "time",
    ]
}

extension LineScanner {
    /// Passes one quoted stretch or one escaped character.
    mutating func quotedPiece() throws(LineStop) -> String {
        let start = position
        switch current {
        case "'", "\"":
            let quote = current
            position += 1
            while let scalar = current, scalar != quote {
                position = min(position + (scalar == "\\" && quote == "\"" ? 2 : 1), scalars.count)
            }
            if isAtEnd { throw .incomplete(quote == "'" ? .singleQuote : .doubleQuote) }
            position += 1
        default:
            if peek(1) == nil { throw .incomplete(.continuation) }
            position += 2
        }
        return text(from: start)
    }
}
