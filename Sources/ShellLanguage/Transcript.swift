import Basics

/// Pasted tutorials: commands behind a prompt sign, with their output in between.
package enum Transcript {
    /// The text with its commands alone, where lines of it bear a prompt sign; any other text as it is.
    ///
    /// A command goes on with the lines it continues on and with its here-documents; every sign becomes `$ `. What is
    /// left out is an empty line in its place, so that lines keep their numbers.
    package static func commandsOnly(_ text: String, by parser: LineParser) -> String {
        guard text.contains("$ ") || text.contains("# ") || text.contains("shale>") else { return text }
        var reader = TranscriptReader(text, parser: parser)
        return reader.commands() ?? text
    }

    /// Whether the first line with anything on it bears a prompt sign: a file that begins so is a transcript.
    package static func begins(_ text: String, at origin: LineParser.Origin = .script) -> Bool {
        let first = text.split(separator: "\n", omittingEmptySubsequences: true).first {
            !String($0).trimmingBlanks.isEmpty
        }
        return first.map { signLength(String($0), origin: origin) != nil } ?? false
    }

    /// How many scalars of a line stand before its command; `nil` for a line without a prompt sign.
    static func signLength(_ line: String, origin: LineParser.Origin) -> Int? {
        var scanner = LineScanner(line)
        while scanner.current?.isBlank ?? false { scanner.position += 1 }
        let length = PastedPrompt.length(in: scanner, origin: origin)
        return length > 0 ? scanner.position + length : nil
    }
}

/// Walks through the lines of a pasted text.
private struct TranscriptReader {
    private let lines: [String]
    private let parser: LineParser
    private let inner: LineParser
    private var position = 0
    private var kept: [String] = []
    private var hasSign = false

    /// More lines than this are no quoted text that a tutorial shows.
    private static let longestQuote = 200

    init(_ text: String, parser: LineParser) {
        lines = LineScanner(text).lines
        self.parser = parser
        inner = LineParser(origin: .script, commands: parser.commands, spelling: parser.spelling)
    }

    /// The text of the commands; `nil` when no line bears a sign.
    mutating func commands() -> String? {
        while position < lines.count {
            let line = lines[position]
            if let length = Transcript.signLength(line, origin: parser.origin) {
                hasSign = true
                take("$ " + String(String.UnicodeScalarView(line.unicodeScalars.dropFirst(length))))
            } else {
                passUnsigned(line)
            }
        }
        return hasSign ? kept.joined(separator: "\n") : nil
    }

    /// Takes a command, with the lines that belong to it.
    private mutating func take(_ first: String) {
        var command = [first]
        position += 1
        var next = position
        while case .incomplete(let reason)? = try? inner.parse(command.joined(separator: "\n")) {
            if case .hereDocument(let delimiter) = reason {
                let end = endOfHereDocument(delimiter, from: next) ?? (lines.count - 1, false)
                guard next <= end.0 else { break }
                for line in lines[next...end.0] { command.append(end.1 ? Self.withoutContinuation(line) : line) }
                next = end.0 + 1
                continue
            }
            guard next < lines.count, Transcript.signLength(lines[next], origin: parser.origin) == nil,
                next - position < Self.longestQuote
            else { break }
            command.append(Self.withoutContinuation(lines[next]))
            next += 1
        }
        position = next
        kept += command
    }

    /// Passes a line of output, or an unsigned command with its here-document: a sign inside that is text.
    private mutating func passUnsigned(_ line: String) {
        kept.append("")
        position += 1
        guard line.contains("<<"),
            case .incomplete(.hereDocument(let delimiter))? = try? inner.parse(line),
            let end = endOfHereDocument(delimiter, from: position)
        else { return }
        kept += Array(repeating: "", count: end.0 - position + 1)
        position = end.0 + 1
    }

    /// The line that ends a here-document, and whether the lines up to it bear `> `.
    private func endOfHereDocument(_ delimiter: String, from start: Int) -> (Int, Bool)? {
        guard start < lines.count else { return nil }
        for index in start..<lines.count {
            let line = String(lines[index].drop { $0 == "\t" })
            if line == delimiter { return (index, false) }
            if line.hasPrefix(">"), Self.withoutContinuation(line).drop(while: { $0 == "\t" }) == delimiter {
                return (index, true)
            }
        }
        return nil
    }

    /// The line without the `> ` of the host's shell.
    private static func withoutContinuation(_ line: String) -> String {
        if line.hasPrefix("> ") { return String(line.dropFirst(2)) }
        return line == ">" ? "" : line
    }
}

extension LineScanner {
    /// The lines of the text; an empty one at the end when it ends with a newline.
    fileprivate var lines: [String] {
        scalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var text = String.UnicodeScalarView()
            text.append(contentsOf: line)
            return String(text)
        }
    }
}
