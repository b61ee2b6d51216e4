package import Basics

/// One logical command of a script: a line, with all the lines that belong to it.
package struct ScriptCommand: Sendable {
    /// The 1-based number of its first line.
    package var line: Int
    /// Its lines, joined by newlines.
    package var text: String
    /// Its statements, or the error of reading it: one bad line does not affect the lines after it.
    package var statements: Result<[Statement], ShaleError>

    package init(line: Int, text: String, statements: Result<[Statement], ShaleError>) {
        self.line = line
        self.text = text
        self.statements = statements
    }
}

/// Splits a script into logical commands, line by line, so that a pipe's commands run as they come.
///
/// Quotes, here-documents, `\`-newline, operators at a line's end and Dockerfile instructions may span lines.
package struct ScriptReader {
    private let parser: LineParser
    /// Where its lines come from; a command that takes lines of the script itself reads on there.
    package let lines: ScriptLines

    /// Whether the first line read bore a prompt sign: lines without one are output then.
    private var isTranscript: Bool?

    /// The longest command, in lines: so an unclosed quote in a huge file is an error before it costs much memory.
    private static let longestCommand = 20_000

    /// Reads lines from a source that returns them without their newline, and `nil` at the end.
    package init(parser: LineParser, nextLine: @escaping () throws(ShaleError) -> String?) {
        self.parser = parser
        lines = ScriptLines(take: nextLine)
    }

    /// Reads from a text; of one that begins with a prompt sign, or that `isPasted` and has one, only the commands.
    package init(text: String, parser: LineParser, isPasted: Bool = false) {
        let isTranscript = isPasted || Transcript.begins(text)
        var lines = LineScanner(isTranscript ? Transcript.commandsOnly(text, by: parser) : text)
        self.init(parser: parser) { () throws(ShaleError) in lines.takeLine() }
    }

    /// The next command that does anything, or `nil` at the end.
    ///
    /// Blank lines and comments are skipped.
    /// - Throws: Whatever the source of lines throws; a syntax error is in the command instead.
    package mutating func next() throws(ShaleError) -> ScriptCommand? {
        while let first = try self.lines.next() {
            if isOutput(first) { continue }
            let start = self.lines.number
            var lines = Accumulator(first)
            while true {
                let command = ScriptCommand(line: start, text: lines.text, statements: .success([]))
                switch result(of: lines.text, firstLine: start) {
                case .failure(let error):
                    return ScriptCommand(line: start, text: command.text, statements: .failure(error))
                case .success(.complete(let statements)):
                    if statements.isEmpty { break }
                    return ScriptCommand(line: start, text: command.text, statements: .success(statements))
                case .success(.incomplete(let reason)):
                    guard self.lines.number - start < Self.longestCommand, let line = try self.lines.next() else {
                        return ScriptCommand(line: start, text: command.text, statements: .failure(reason.error))
                    }
                    lines.append(line)
                    // The text is parsed again only after a line that may end what is open.
                    while !reason.mayEnd(with: lines.last), self.lines.number - start < Self.longestCommand,
                        let next = try self.lines.next()
                    {
                        lines.append(next)
                    }
                    continue
                }
                break
            }
        }
        return nil
    }

    /// Whether a line is a transcript's that no command begins on.
    private mutating func isOutput(_ line: String) -> Bool {
        if isTranscript == false || line.trimmingBlanks.isEmpty { return false }
        let isSigned = Transcript.signLength(line, origin: .script) != nil
        isTranscript = isTranscript ?? isSigned
        return isTranscript == true && !isSigned
    }

    private func result(of text: String, firstLine: Int) -> Result<ParseResult, ShaleError> {
        do throws(ShaleError) {
            return .success(try parser.parse(text, firstLine: firstLine))
        } catch {
            return .failure(error)
        }
    }
}

/// The lines of a script, taken one by one, and how many were taken.
package final class ScriptLines {
    private let take: () throws(ShaleError) -> String?
    /// The 1-based number of the line taken last.
    package private(set) var number: Int

    /// `take` answers a line without its newline, `nil` at the end; `number` lines stand before the first.
    package init(number: Int = 0, take: @escaping () throws(ShaleError) -> String?) {
        self.take = take
        self.number = number
    }

    /// The next line without its newline; `nil` at the end.
    ///
    /// Throws what reading the line throws.
    package func next() throws(ShaleError) -> String? {
        guard let line = try take() else { return nil }
        number += 1
        return line
    }
}

/// Lines joined by newlines.
private struct Accumulator {
    private(set) var text: String
    private(set) var last: String

    init(_ line: String) {
        text = line
        last = line
    }

    mutating func append(_ line: String) {
        text += "\n" + line
        last = line
    }
}

extension Incomplete {
    /// Whether a line can be the one that completes a text.
    fileprivate func mayEnd(with line: String) -> Bool {
        switch self {
        case .singleQuote: line.contains("'")
        case .doubleQuote: line.contains("\"")
        case .substitution: line.contains(")")
        case .backquote: line.contains("`")
        case .hereDocument(let delimiter):
            line == delimiter || line == delimiter + "\r" || String(line.drop { $0 == "\t" }) == delimiter
        // A line that ends with `\` continues, so it ends nothing; two backslashes are one literal backslash.
        case .continuation: line.utf8.reversed().prefix { $0 == UInt8(ascii: "\\") }.count.isMultiple(of: 2)
        case .operand, .variable, .hostBlock: true
        }
    }
}
