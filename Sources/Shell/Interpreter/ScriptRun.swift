package import Basics
import Glibc
import Linux
import Rendering
import ShellLanguage

/// Runs a script: a file, standard input, or the text of `-c`.
///
/// The first failure ends it with that command's status, unless `--keep-going` was asked for; messages say
/// `FILE:LINE: COMMAND: …`.
package struct ScriptRun {
    private let shell: ShellContext
    private let interpreter: Interpreter
    /// Files that `source` may be inside of.
    static let deepest = 16

    package init(_ shell: ShellContext) {
        self.shell = shell
        interpreter = Interpreter(shell)
    }

    /// Runs a file; `$0` is its name, `$1…` its arguments, during the run.
    ///
    /// Throws `usage` when too many files run one inside the other, `notFound` when the file cannot be read; a line
    /// that fails is in the status.
    package func run(file: String, arguments: [String]) throws(ShaleError) -> Int32 {
        guard shell.scriptDepth < Self.deepest else {
            throw ShaleError(.usage, "\(file): too many files inside another")
        }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(file)
        } catch {
            throw error.cancelled ?? ShaleError(.notFound, file.visible, cause: error.reason, exitStatus: 66)
        }
        let saved = shell.variables
        shell.variables["0"] = file
        for (index, argument) in arguments.enumerated() { shell.variables[String(index + 1)] = argument }
        shell.scriptDepth += 1
        defer {
            shell.scriptDepth -= 1
            for name in ["0"] + arguments.indices.map({ String($0 + 1) }) { shell.variables[name] = saved[name] }
        }
        return try run(ScriptReader(text: String(pathBytes: bytes), parser: LineParser()), name: file)
    }

    /// Runs a text that came on the command line.
    ///
    /// A line that fails is in the status, and is not thrown.
    package func run(text: String, name: String) throws(ShaleError) -> Int32 {
        try run(ScriptReader(text: text, parser: LineParser(), isPasted: true), name: name)
    }

    /// Runs standard input line by line, as it comes.
    ///
    /// Throws what reading standard input throws; a line that fails is in the status.
    package func runInput() throws(ShaleError) -> Int32 {
        let lines = InputLines(descriptor: 0)
        return try run(ScriptReader(parser: LineParser()) { () throws(ShaleError) in try lines.next() }, name: "stdin")
    }

    private func run(_ reader: ScriptReader, name: String) throws(ShaleError) -> Int32 {
        var reader = reader
        var failed = false
        let outer = shell.script
        shell.script = ShellContext.Script(name: name, lines: reader.lines)
        defer { shell.script = outer }
        let answers = SecretAnswers(shell)
        while let read = try reader.next() {
            let command = read.filled(by: answers)
            let status: Int32
            switch command.statements {
            case .success(let statements):
                let isPrivate = statements.first?.isPrivate ?? false
                status = shell.typed(command.text, isPrivate: isPrivate) {
                    interpreter.run(statements, origin: Interpreter.Origin(file: name))
                }
            case .failure(let error):
                let word = command.text.split { $0 == " " || $0 == "\n" }.first.map(String.init) ?? ""
                shell.console.report(error, at: Console.SourceLine(file: name, line: command.line, command: word))
                shell.hasReported = true
                status = 64
            }
            if let leaving = interpreter.leaving { return leaving }
            if status != 0 {
                if name != "-c" {
                    interpreter.reportSilentFailure(command.text, line: command.line, file: name, status: status)
                }
                if !shell.options.keepsGoing { return status }
                failed = true
            }
            if shell.console.isOutputClosed { return 0 }
        }
        return failed ? 1 : 0
    }
}

extension ScriptCommand {
    /// The command with the secrets that were masked in it; where they are not known, the failure that says so.
    func filled(by answers: SecretAnswers, tellingLine: Bool = false) -> ScriptCommand {
        do throws(ShaleError) {
            let filled = try answers.filled(text, line: tellingLine ? line : nil)
            if filled == text { return self }
            let statements = try LineParser(origin: .script).statements(in: filled, firstLine: line)
            return ScriptCommand(line: line, text: filled, statements: .success(statements))
        } catch {
            return ScriptCommand(line: line, text: text, statements: .failure(error))
        }
    }
}

/// Lines of a descriptor that is no terminal, without reading further than the line: what a command of the script
/// reads from the same descriptor is its own.
final class InputLines {
    private let descriptor: Int32
    private var isAtEnd = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    func next() throws(ShaleError) -> String? {
        if isAtEnd { return nil }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count == -1, errno == EINTR { continue }
            guard count >= 0 else { throw SystemCallError("read").shaleError("standard input") }
            if count == 0 {
                isAtEnd = true
                return line.isEmpty ? nil : String(pathBytes: line)
            }
            if byte == UInt8(ascii: "\n") { return String(pathBytes: line) }
            guard line.count < 16 << 20 else { throw ShaleError(.invalid, "standard input: a line of over 16 MiB") }
            line.append(byte)
        }
    }
}
