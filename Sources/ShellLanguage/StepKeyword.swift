import Basics

/// Dockerfile instructions at the prompt: a line that starts with one, in capitals, is a step.
package enum StepKeyword {
    /// The instructions that start a step.
    package static let names: Set<String> = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    /// Those whose text may hold here-documents.
    static let withHereDocuments: Set<String> = ["ADD", "COPY", "RUN", "ONBUILD"]

    /// Whether the text starts a step; leading blanks do not matter.
    package static func starts(_ text: String) -> Bool {
        var scanner = LineScanner(text)
        while scanner.current?.isBlank ?? false { scanner.position += 1 }
        return starts(scanner)
    }

    static func starts(_ scanner: LineScanner) -> Bool { name(at: scanner) != nil }

    /// The instruction here, if a blank or the end of the line follows it.
    static func name(at scanner: LineScanner) -> String? {
        var length = 0
        while let scalar = scanner.peek(length), ("A"..."Z").contains(scalar) { length += 1 }
        guard length > 0 else { return nil }
        if let next = scanner.peek(length), !next.isBlank, next != "\n" { return nil }
        let name = scanner.text(scanner.position..<scanner.position + length)
        return names.contains(name) ? name : nil
    }

    /// Where the instruction begins in `edit N INSTRUCTION …` and `trace INSTRUCTION …`; `nil` for any other line.
    static func startBehindVerb(in scanner: LineScanner) -> Int? {
        var ahead = scanner
        if ahead.skip("edit") {
            guard ahead.skipsBlanksInLine(), ahead.skipsDigits(), ahead.skipsBlanksInLine() else { return nil }
        } else {
            guard ahead.skip("trace"), ahead.skipsBlanksInLine(), skipsTraceOptions(&ahead) else { return nil }
        }
        return name(at: ahead) == nil ? nil : ahead.position
    }

    /// Passes `--format json`, `--` and another `trace`; false where the line ends with them.
    private static func skipsTraceOptions(_ scanner: inout LineScanner) -> Bool {
        while scanner.current == "-" || scanner.starts(with: "trace") {
            let start = scanner.position
            while let scalar = scanner.current, !scalar.isBlank, scalar != "\n" { scanner.position += 1 }
            let isFormat = scanner.text(from: start) == "--format"
            guard scanner.skipsBlanksInLine() else { return false }
            guard isFormat else { continue }
            while let scalar = scanner.current, !scalar.isBlank, scalar != "\n" { scanner.position += 1 }
            guard scanner.skipsBlanksInLine() else { return false }
        }
        return true
    }
}

extension StatementReader {
    /// Reads a step: its line, the lines it continues on, and its here-documents, all as written.
    mutating func step(_ marks: LineMarks) throws(LineStop) {
        let start = scanner.position
        let line = lineNumber(at: start)
        let name = StepKeyword.name(at: scanner) ?? ""
        let logical = try instructionLine()
        if StepKeyword.withHereDocuments.contains(name) {
            for document in HereDocumentMark.all(in: logical) {
                try passHereDocument(document)
            }
        }
        let text = scanner.text(from: start).droppingFinalNewline
        found.append(
            Statement(
                .step(text), source: text, line: line, isPrivate: marks.isPrivate, dropped: marks.dropped))
    }

    /// Reads `edit N INSTRUCTION …` or `trace INSTRUCTION …`, whose instruction is as written, as it is in a step: `>`
    /// and quotes are its own.
    mutating func verb(instructionAt place: Int, _ marks: LineMarks) throws(LineStop) {
        let start = scanner.position
        let words = scanner.text(start..<place).split { $0 == " " || $0 == "\t" }.map { Word(String($0)) }
        scanner.position = place
        try step(marks)
        guard let read = found.popLast(), case .step(let text) = read.body else { return }
        let instruction = Word(parts: [.literal(text, quoted: true)], source: text)
        found.append(
            Statement(
                .command(Command(words: words + [instruction])), source: scanner.text(from: start).droppingFinalNewline,
                line: lineNumber(at: start), isPrivate: read.isPrivate, dropped: read.dropped))
    }

    /// Reads lines as long as they end with `\`, comments between them included, and returns them joined.
    private mutating func instructionLine() throws(LineStop) -> String {
        var logical = ""
        while let line = scanner.takeLine() {
            let isFirst = logical.isEmpty
            // BuildKit passes over comments and blank lines here; the last blank one ends the instruction at a prompt.
            if !isFirst, line.trimmingBlanks.hasPrefix("#") || (line.trimmingBlanks.isEmpty && !scanner.isAtEnd) {
                continue
            }
            let content = line.trimmingBlanksAtEnd
            guard content.hasSuffix("\\") else { return logical + line }
            logical += content.dropLast()
            if logical.isEmpty { logical = " " }
        }
        if scanner.peek(-1) == "\n" { return logical }
        throw .incomplete(.continuation)
    }

    private mutating func passHereDocument(_ document: HereDocumentMark) throws(LineStop) {
        while let line = scanner.takeLine() {
            let line = document.stripsTabs ? String(line.drop { $0 == "\t" }) : line
            if line == document.delimiter { return }
        }
        throw .incomplete(.hereDocument(document.delimiter))
    }
}

/// A here-document as a Dockerfile instruction announces it.
struct HereDocumentMark: Equatable {
    var delimiter: String
    var stripsTabs: Bool

    /// The marks of a line, outside of quotes.
    static func all(in line: String) -> [HereDocumentMark] {
        var scanner = LineScanner(line)
        var marks: [HereDocumentMark] = []
        while let scalar = scanner.current {
            switch scalar {
            case "'", "\"":
                scanner.position += 1
                while let inner = scanner.current, inner != scalar {
                    scanner.position += inner == "\\" && scalar == "\"" ? 2 : 1
                }
                scanner.position += 1
            case "\\": scanner.position += 2
            case "<":
                // BuildKit takes a mark only at the start of a word, after an optional descriptor number.
                if scanner.starts(with: "<<"), scanner.startsWordBeforeDigits, let mark = read(&scanner) {
                    marks.append(mark)
                } else {
                    while scanner.current == "<" { scanner.position += 1 }
                }
            default: scanner.position += 1
            }
        }
        return marks
    }

    private static func read(_ scanner: inout LineScanner) -> HereDocumentMark? {
        scanner.position += 2
        let stripsTabs = scanner.skip("-")
        var delimiter = ""
        if let quote = scanner.current, quote == "'" || quote == "\"" {
            scanner.position += 1
            while let scalar = scanner.current, scalar != quote {
                delimiter.unicodeScalars.append(scalar)
                scanner.position += 1
            }
            scanner.position += 1
        } else {
            while let scalar = scanner.current, !scalar.endsWord, scalar != "\"", scalar != "'" {
                delimiter.unicodeScalars.append(scalar)
                scanner.position += 1
            }
        }
        return delimiter.isEmpty ? nil : HereDocumentMark(delimiter: delimiter, stripsTabs: stripsTabs)
    }
}

extension LineScanner {
    /// Passes blanks; false where there are none.
    fileprivate mutating func skipsBlanksInLine() -> Bool {
        let start = position
        while current?.isBlank ?? false { position += 1 }
        return position > start
    }

    /// Passes digits; false where there are none.
    fileprivate mutating func skipsDigits() -> Bool {
        let start = position
        while current?.isDigit ?? false { position += 1 }
        return position > start
    }

    /// Whether only digits stand between here and the start of the word.
    fileprivate var startsWordBeforeDigits: Bool {
        var offset = -1
        while let scalar = peek(offset), scalar.isDigit { offset -= 1 }
        return peek(offset).map { $0.isBlank || $0 == "\n" } ?? true
    }
}
