package import ArgumentParser
package import Basics
import Glibc
import Linux
import Rendering
import Sessions

/// `replay`: runs a script, a Dockerfile or a saved recipe again.
package struct Replay: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Run a script, a handout, a Dockerfile or a saved recipe again",
        usage: "replay FILE|DIR [--step] [--until N] [--var NAME=VALUE] [--keep-going] [--check]")
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let leasesWhatItUses = false
    package static let examples = [
        "replay chapter.shale --check", "replay Dockerfile --until 3", "replay notes.shale --var API_TOKEN=…",
    ]
    package static let differences = [
        "Docker has no such command.",
        "A secret that was masked (***) when it was kept is asked for at a terminal, or given by --var; else the replay "
            + "stops at that line.",
        "--check compares what each line shows with the recorded lines (record --output), where ids, ages, dates, sizes "
            + "and progress count as equal.",
    ]

    @Argument(help: "A script, a handout (.md), a Dockerfile, or a directory with one.") var file: String
    @Flag(help: "Stop before each line and ask: next, continue, back, break, enter, retry, edit, help.")
    var step = false
    @Option(help: "Stop after this many lines.") var until: Int?
    @Option(
        name: .customLong("var"), parsing: .unconditionalSingleValue,
        help: "Set a variable; of a Dockerfile, a build argument; of a masked secret, its value.")
    var variables: [String] = []
    @Flag(name: .customLong("keep-going"), help: "Go on after a failure.") var keepGoing = false
    @Flag(help: "Compare with the recorded output; show where it differs, and fail.") var check = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let until, until < 1 { throw ShaleError(.usage, "replay: --until takes a number above zero") }
        if step, check { throw ShaleError(.usage, "replay: --step or --check, not both") }
        let given = try givenVariables()
        let source = try self.source(given, shell)
        return try step ? stepThrough(source, given, in: shell) : run(source, in: shell)
    }

    private func givenVariables() throws(ShaleError) -> [String: String] {
        var given: [String: String] = [:]
        for assignment in variables {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ShaleError(.usage, "replay: --var takes NAME=VALUE, not \(assignment.visible)")
            }
            given[String(parts[0])] = String(parts[1])
        }
        return given
    }

    private func source(_ given: [String: String], _ shell: ShellContext) throws(ShaleError) -> ReplaySource {
        shell.variables.merge(given) { _, new in new }
        guard shell.scriptDepth < ScriptRun.deepest else {
            throw ShaleError(.usage, "\(file.visible): too many files inside another")
        }
        let source = try ReplaySource(file, variables: given, SecretAnswers(shell, replayed: file))
        if check, !source.hasExpectations {
            throw ShaleError(
                .notFound, "\(source.path.visible): no recorded output to compare with",
                hint: "record FILE --output   (then type the lines)")
        }
        return source
    }

    /// The script for a debugger; `nil` for a Dockerfile, which is built.
    ///
    /// Throws what `replay` throws for a file that cannot be read or understood.
    func stepped(_ shell: ShellContext) throws(ShaleError) -> SteppedReplay? {
        let given = try givenVariables()
        let source = try self.source(given, shell)
        return source.isDockerfile ? nil : try SteppedReplay(source, variables: given, until: until, shell)
    }

    private func stepThrough(
        _ source: ReplaySource, _ variables: [String: String], in shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        let folder = try DirectoryVisit(of: source.path, isNeeded: source.isDockerfile)
        defer { folder.leave() }
        shell.scriptDepth += 1
        defer { shell.scriptDepth -= 1 }
        return .status(try StepLoop(SteppedReplay(source, variables: variables, until: until, shell), shell).run())
    }

    private func run(_ source: ReplaySource, in shell: ShellContext) throws(ShaleError) -> Outcome {
        let folder = try DirectoryVisit(of: source.path, isNeeded: source.isDockerfile)
        defer { folder.leave() }
        shell.scriptDepth += 1
        defer { shell.scriptDepth -= 1 }
        let interpreter = Interpreter(shell)
        var comparison = check ? ReplayComparison(source.path) : nil
        var failed = false
        for (index, line) in source.lines.enumerated() {
            if let until, index >= until { break }
            if !check, shell.isInteractive { shell.console.note("» \(line.text)") }
            let status = carryOut(line, source, interpreter, &comparison, shell)
            if let leaving = interpreter.leaving { return comparison?.outcome ?? .status(leaving) }
            if status != line.expectedStatus {
                if comparison == nil {
                    interpreter.reportSilentFailure(line.text, line: line.number, file: source.path, status: status)
                }
                if !keepGoing { return comparison?.outcome ?? .status(status == 0 ? 1 : status) }
                failed = true
            }
            if shell.cancellation.isCancelled { return .status(Interrupt.status) }
        }
        return comparison?.outcome ?? .status(failed ? 1 : 0)
    }

    private func carryOut(
        _ line: ReplaySource.Line, _ source: ReplaySource, _ interpreter: Interpreter,
        _ comparison: inout ReplayComparison?, _ shell: ShellContext
    ) -> Int32 {
        if comparison != nil { return comparison?.run(line, interpreter, shell) ?? 0 }
        switch line.statements {
        case .success(let statements):
            return interpreter.run(statements, origin: Interpreter.Origin(file: source.path))
        case .failure(let error):
            shell.console.report(error, at: Console.SourceLine(file: source.path, line: line.number, command: "replay"))
            shell.hasReported = true
            return 64
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
