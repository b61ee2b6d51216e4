package import ArgumentParser
package import Basics
import Dockerfiles
import Engine
import Glibc
import Linux
import Sessions

/// `replay`: runs a script, a Dockerfile or a saved recipe again.
package struct Replay: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a script, a Dockerfile or a saved recipe again",
        usage: "replay FILE|DIR [--step] [--until N] [--var NAME=VALUE] [--keep-going]")
    package static let examples = ["replay chapter.shale", "replay Dockerfile --step", "replay hello"]
    package static let differences = ["Docker has no such command."]

    @Argument(help: "A script, a Dockerfile, or a directory with one.") var file: String
    @Flag(help: "Show each line and wait: n runs it, c runs the rest, q stops.") var step = false
    @Option(help: "Stop after this many lines.") var until: Int?
    @Option(name: .customLong("var"), help: "Set a variable.") var variables: [String] = []
    @Flag(name: .customLong("keep-going"), help: "Go on after a failure.") var keepGoing = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let until, until < 1 { throw ShaleError(.usage, "replay: --until takes a number above zero") }
        for assignment in variables {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ShaleError(.usage, "replay: --var takes NAME=VALUE") }
            shell.variables[String(parts[0])] = String(parts[1])
        }
        var path = file
        if (try? FileStatus.of(hostPath: path, followingLink: true))?.kind == .directory { path += "/Dockerfile" }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path)
        } catch {
            throw ShaleError(.notFound, path.visible, cause: error.reason, exitStatus: 66)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = try Self.isDockerfile(path, text) ? dockerfileLines(path, text) : scriptLines(text)
        return try run(lines, path: path, in: shell)
    }

    private struct Line {
        var number: Int
        var text: String
        var statements: Result<[Statement], ShaleError>
    }

    /// A file named so, or whose first line that says anything is an instruction that only a Dockerfile begins with.
    private static func isDockerfile(_ path: String, _ text: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".shale") { return false }
        if name.lowercased().contains("dockerfile") { return true }
        let first = text.split(separator: "\n").first { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        let word = first?.split(separator: " ").first.map { $0.uppercased() }
        return word == "FROM" || word == "ARG"
    }

    /// The instructions as steps on the working image, each read from the file's own folder.
    private func dockerfileLines(_ path: String, _ text: String) throws(ShaleError) -> [Line] {
        do throws(DockerfileError) {
            let staged = try StagedFile(Dockerfile(parsing: text))
            guard staged.metaArguments.isEmpty else {
                throw DockerfileError(
                    line: staged.metaArguments[0].line, message: "ARG before FROM cannot be stepped through; use build")
            }
            var lines: [Line] = []
            for stage in staged.stages {
                lines.append(Self.line(stage.line, stage.from.text))
                for instruction in stage.instructions { lines.append(Self.line(instruction.line, instruction.text)) }
            }
            return lines
        } catch {
            throw error.shaleError(inFile: path)
        }
    }

    private static func line(_ number: Int, _ text: String) -> Line {
        Line(number: number, text: text, statements: .success([Statement(.step(text), source: text, line: number)]))
    }

    private func scriptLines(_ text: String) throws(ShaleError) -> [Line] {
        var reader = ScriptReader(text: text)
        var lines: [Line] = []
        while let command = try reader.next() {
            lines.append(Line(number: command.line, text: command.text, statements: command.statements))
        }
        return lines
    }

    private func run(_ lines: [Line], path: String, in shell: ShellContext) throws(ShaleError) -> Outcome {
        let folder = try DirectoryVisit(of: path, isNeeded: Self.isDockerfilePath(lines))
        defer { folder.leave() }
        let interpreter = Interpreter(shell)
        var failed = false
        var stepping = step
        for (index, line) in lines.enumerated() {
            if let until, index >= until { break }
            if stepping {
                switch StepQuestion(shell).ask(line.text, number: line.number) {
                case .next: break
                case .rest: stepping = false
                case .stop: return .status(0)
                }
            }
            let status: Int32
            switch line.statements {
            case .success(let statements):
                if !stepping, shell.isInteractive { shell.console.note("» \(line.text)") }
                status = interpreter.run(statements, origin: Interpreter.Origin(file: path))
            case .failure(let error):
                shell.console.report(error, at: Console.Place(file: path, line: line.number, command: "replay"))
                shell.hasReported = true
                status = 64
            }
            if let leaving = interpreter.leaving { return .status(leaving) }
            if status != 0 {
                interpreter.reportSilentFailure(line.text, line: line.number, file: path, status: status)
                if !keepGoing { return .status(status) }
                failed = true
            }
        }
        return .status(failed ? 1 : 0)
    }

    private static func isDockerfilePath(_ lines: [Line]) -> Bool {
        lines.contains { line in
            if case .success(let statements) = line.statements, case .step? = statements.first?.body { return true }
            return false
        }
    }
}

/// Goes to the folder of a file while it is replayed, since what it copies lies there.
private struct DirectoryVisit {
    private let before: Int32

    init(of path: String, isNeeded: Bool) throws(ShaleError) {
        guard isNeeded, let slash = path.lastIndex(of: "/") else {
            before = -1
            return
        }
        before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard chdir(folder) == 0 else { throw SystemCallError("chdir", path: folder).shaleError(folder) }
    }

    func leave() {
        guard before >= 0 else { return }
        _ = fchdir(before)
        close(before)
    }
}

/// Asks before each line of a stepped replay.
private struct StepQuestion {
    enum Answer { case next, rest, stop }

    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    func ask(_ line: String, number: Int) -> Answer {
        shell.console.write(" => \(number)| \(line.visible)\n(n)ext (c)ontinue (q)uit: ", to: .errors)
        var answer: [UInt8] = []
        var byte: UInt8 = 0
        while read(shell.input, &byte, 1) == 1, byte != UInt8(ascii: "\n") { answer.append(byte) }
        if byte != UInt8(ascii: "\n"), answer.isEmpty { return .stop }
        switch String(decoding: answer, as: UTF8.self).prefix(1) {
        case "c": return .rest
        case "q": return .stop
        default: return .next
        }
    }
}
