import Basics

/// A here-document whose text stands below the line being read.
struct PendingHereDocument {
    /// Where the text goes once it is read.
    enum Destination {
        /// A redirection of the command of one statement.
        case redirection(statement: Int, index: Int)
        /// The text of a host command line, behind which it is put as written.
        case hostText(statement: Int)
    }

    var destination: Destination
    var delimiter: String
    /// `<<-`: leading tabs are taken off.
    var stripsTabs: Bool
    /// Variables stay as they are when any part of the delimiter was quoted.
    var expands: Bool
}

extension StatementReader {
    // MARK: Words and redirections

    /// Reads words, redirections and the host's pipeline of one command.
    mutating func command(statementIndex: Int) throws(LineStop) -> Command {
        var command = Command()
        while true {
            try scanner.skipBlanks()
            guard let scalar = scanner.current, scalar != "\n", scalar != ";" else { return command }
            if scalar == "#" { return command }
            if scalar == "|" {
                if scanner.peek(1) == "|" { return command }
                if command.words.isEmpty { throw .failure(unexpected(at: scanner.position)) }
                command.pipeline = try pipeline(statementIndex)
                return command
            }
            if scanner.starts(with: "&>") {
                scanner.position += 2
                let append = scanner.skip(">")
                command.redirections.append(.both(try target(after: "&>"), append: append))
            } else if scalar == "&" {
                return command
            } else if scalar == "<" || scalar == ">" {
                try redirection(descriptor: nil, into: &command, statementIndex: statementIndex)
            } else {
                let word = try scanner.word()
                let isDescriptor = word.plain == "1" || word.plain == "2" || word.plain == "0"
                if isDescriptor, scanner.current == "<" || scanner.current == ">" {
                    try redirection(descriptor: word.plain, into: &command, statementIndex: statementIndex)
                } else {
                    command.words.append(word)
                }
            }
        }
    }

    private mutating func redirection(
        descriptor: String?, into command: inout Command, statementIndex: Int
    ) throws(LineStop) {
        let start = scanner.position
        let index = command.redirections.count
        if scanner.skip("<<<") {
            command.redirections.append(.hereString(try target(after: "<<<")))
        } else if scanner.skip("<<") {
            let stripsTabs = scanner.skip("-")
            let word = try target(after: "<<")
            guard let delimiter = word.constant, !delimiter.contains("\n") else {
                throw .failure(unexpected(at: start))
            }
            command.redirections.append(.hereDocument(Word("")))
            pending.append(
                PendingHereDocument(
                    destination: .redirection(statement: statementIndex, index: index), delimiter: delimiter,
                    stripsTabs: stripsTabs, expands: word.plain != nil))
        } else if scanner.skip("<") {
            if scanner.current == "&" || scanner.current == "(" || scanner.current == ">" {
                throw .failure(unexpected(at: start))
            }
            command.redirections.append(.input(try target(after: "<")))
        } else if scanner.skip(">&") {
            let word = try target(after: ">&")
            switch (descriptor, word.plain) {
            case ("2", "1"): command.redirections.append(.errorsToOutput)
            case (nil, "2"), ("1", "2"): command.redirections.append(.outputToErrors)
            case (nil, _): command.redirections.append(.both(word, append: false))
            default: throw .failure(unexpected(at: start))
            }
        } else {
            scanner.position += 1
            let append = scanner.skip(">")
            if !append { _ = scanner.skip("|") }
            let word = try target(after: append ? ">>" : ">")
            if descriptor == "0" { throw .failure(unexpected(at: start)) }
            command.redirections.append(
                descriptor == "2" ? .errors(word, append: append) : .output(word, append: append))
        }
    }

    private mutating func target(after symbol: String) throws(LineStop) -> Word {
        try scanner.skipBlanks()
        let word = try scanner.word()
        if word.parts.isEmpty {
            throw .failure(ShaleError(.usage, "syntax error", cause: "no file name after \(symbol)"))
        }
        return word
    }

    // MARK: The host's shell

    private mutating func pipeline(_ statementIndex: Int) throws(LineStop) -> HostPipeline {
        scanner.position += 1
        let includesErrors = scanner.skip("&")
        try scanner.skipBlanks()
        let text = try hostText(upToOperators: true, index: statementIndex)
        if text.isEmpty {
            if scanner.isAtEnd || scanner.current == "\n" { throw .incomplete(.operand("|")) }
            throw .failure(unexpected(at: scanner.position))
        }
        return HostPipeline(text: text, includesErrors: includesErrors)
    }

    /// Reads a stretch for `/bin/sh`, and remembers the here-documents in it.
    mutating func hostText(upToOperators: Bool, index: Int) throws(LineStop) -> String {
        var reader = HostText(scanner: scanner, stopsAtOperators: upToOperators)
        let text = try reader.read()
        scanner = reader.scanner
        for var document in reader.hereDocuments {
            document.destination = .hostText(statement: index)
            pending.append(document)
        }
        return text
    }

    /// `!command`, `!` alone, `!!` and `!12`.
    mutating func exclamation(_ statementIndex: Int) throws(LineStop) -> Statement.Body {
        if scanner.current == "\\" { scanner.position += 1 }
        scanner.position += 1
        let start = scanner.position
        if scanner.current == "!" || scanner.current == "-" || scanner.current?.isDigit ?? false {
            scanner.position += 1
            while scanner.current?.isDigit ?? false { scanner.position += 1 }
            let reference = scanner.text(from: start)
            if reference != "-", scanner.current.map({ $0.endsWord }) ?? true { return .recall(reference) }
            scanner.position = start
        }
        try scanner.skipBlanks()
        return .host(try hostText(upToOperators: false, index: statementIndex))
    }

    // MARK: Here-documents

    /// Reads the texts that the line just read asked for.
    mutating func finishHereDocuments() throws(LineStop) {
        let documents = pending
        pending = []
        for document in documents {
            let start = scanner.position
            let content = try hereDocument(document)
            let lines = "\n" + scanner.text(from: start).droppingFinalNewline
            let statement: Int
            switch document.destination {
            case .redirection(let index, let redirection):
                statement = index
                let word = document.expands ? try expandable(content) : quoted(content)
                setRedirection(.hereDocument(word), at: redirection, of: index)
            case .hostText(let index):
                statement = index
                appendHostText(lines, to: index)
            }
            if found.indices.contains(statement) { found[statement].hereDocuments += lines }
        }
    }

    private mutating func hereDocument(_ document: PendingHereDocument) throws(LineStop) -> String {
        var content = ""
        while let line = scanner.takeLine() {
            let line = document.stripsTabs ? String(line.drop { $0 == "\t" }) : line
            if line == document.delimiter { return content }
            content += line + "\n"
        }
        throw .incomplete(.hereDocument(document.delimiter))
    }

    private func quoted(_ content: String) -> Word {
        Word(parts: [.literal(content, quoted: true)], source: content)
    }

    /// A here-document's text as a word in which only variables mean anything.
    private func expandable(_ content: String) throws(LineStop) -> Word {
        var inner = LineScanner(content)
        var parts = WordParts()
        parts.append("", quoted: true)
        while let scalar = inner.current {
            if scalar == "\\", let next = inner.peek(1), next == "$" || next == "\\" || next == "`" {
                parts.append(String(next), quoted: true)
                inner.position += 2
            } else if scalar == "\\", inner.peek(1) == "\n" {
                inner.position += 2
            } else if scalar == "$" {
                try inner.dollar(into: &parts, quoted: true)
            } else if scalar == "`" {
                parts.append(.substitution(text: try inner.backquoted(), quoted: true))
            } else {
                parts.append(String(scalar), quoted: true)
                inner.position += 1
            }
        }
        return Word(parts: parts.finished(), source: content)
    }

    private mutating func setRedirection(_ redirection: Redirection, at index: Int, of statement: Int) {
        guard found.indices.contains(statement) else { return }
        found[statement].body.modifyCommand { command in
            if command.redirections.indices.contains(index) { command.redirections[index] = redirection }
        }
    }

    private mutating func appendHostText(_ text: String, to statement: Int) {
        guard found.indices.contains(statement) else { return }
        switch found[statement].body {
        case .host(let line): found[statement].body = .host(line + text)
        case .assignment(var assignment):
            if case .host(let line) = assignment.source { assignment.source = .host(line + text) }
            found[statement].body = .assignment(assignment)
            found[statement].body.modifyCommand { $0.pipeline?.text += text }
        default: found[statement].body.modifyCommand { $0.pipeline?.text += text }
        }
    }
}

extension Statement.Body {
    /// Changes the command of a command or of an assignment.
    fileprivate mutating func modifyCommand(_ change: (inout Command) -> Void) {
        switch self {
        case .command(var command):
            change(&command)
            self = .command(command)
        case .assignment(var assignment):
            guard case .command(var command) = assignment.source else { return }
            change(&command)
            assignment.source = .command(command)
            self = .assignment(assignment)
        default: return
        }
    }
}
