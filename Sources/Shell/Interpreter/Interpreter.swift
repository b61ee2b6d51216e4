package import Basics
import Glibc
import Linux
import OCI
import Rendering
import Sessions
package import ShellLanguage

/// Carries out statements of the shell language, one after the other, and writes the session's journal.
package final class Interpreter {
    package let shell: ShellContext
    /// Set by `quit`: the prompt or script ends with this status.
    package private(set) var leaving: Int32?
    private let table = CommandTable.shared
    /// Unknown variables that were said to go to a container as they are.
    private var notedKept: Set<String> = []
    private var substitutionDepth = 0
    /// Says what failed in the statement under way.
    private var report: ((ShaleError) -> Void)?

    package init(_ shell: ShellContext) { self.shell = shell }

    /// Where messages of a script say they come from.
    package struct Origin: Sendable {
        package var file: String
        package init(file: String) { self.file = file }
    }

    /// Runs whole statements; returns the last one's status.
    ///
    /// Failures are reported, not thrown.
    package func run(_ statements: [Statement], origin: Origin? = nil) -> Int32 {
        var status: Int32 = 0
        for statement in statements {
            switch statement.condition {
            case .success where shell.lastStatus != 0: continue
            case .failure where shell.lastStatus == 0: continue
            default: break
            }
            status = shell.leasing { run(statement, origin: origin) }
            shell.lastStatus = status
            shell.variables["?"] = String(status)
            if leaving != nil { break }
            // In a script the first failure ends a line, unless `||` follows; at the prompt each `;` stands alone.
            if shell.cancellation.isCancelled { break }
        }
        return status
    }

    private func run(_ statement: Statement, origin: Origin?) -> Int32 {
        shell.statementDepth += 1
        defer { shell.statementDepth -= 1 }
        shell.beginCommand()
        let log = CommandLog(statement, shell: shell)
        let before = report
        report = { [self] error in
            shell.hasReported = true
            guard !error.isSeen || shell.mode != .prompt else { return }
            shell.tap.hear(error)
            log.noteFailure(error)
            shell.console.report(error, at: origin.map { place(of: statement, in: $0) })
        }
        defer { report = before }
        var status: Int32
        do throws(ShaleError) {
            status = try perform(HostFiles.meant(by: statement, shell) ?? statement.body)
            try shell.console.checkWritten()
        } catch {
            status = error.status(of: statement.body.verb)
            report?(error)
        }
        if let leaving { status = leaving }
        do throws(ShaleError) {
            try Observer.measure(.session, "journal") { () throws(ShaleError) in try log.finish(status: status) }
        } catch {
            status = error.status(of: statement.body.verb)
            report?(error)
        }
        shell.endTrace(status: status)
        if shell.statementDepth == 1 {
            shell.recorder?.ran(statement, status: status, entered: shell.enteredLines)
            if !shell.enteredLines.isEmpty { shell.hasEntered = true }
            shell.enteredLines = []
        }
        shell.keepVariables()
        if shell.statementDepth == 1, leaving == nil { LessonWatch(shell).after(statement) }
        return status
    }

    private func place(of statement: Statement, in origin: Origin) -> Console.SourceLine {
        Console.SourceLine(file: origin.file, line: statement.line, command: statement.body.verb ?? statement.source)
    }

    /// Says where a script ended when nothing else did: a host command or a container failed without a message.
    func reportSilentFailure(_ text: String, line: Int, file: String, status: Int32) {
        guard !shell.hasReported else { return }
        shell.hasReported = true
        let command = text.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? text
        shell.console.report(
            ShaleError(.io, "exit status \(status)"),
            at: Console.SourceLine(file: file, line: line, command: command.visible))
    }

    func perform(_ body: Statement.Body) throws(ShaleError) -> Int32 {
        switch body {
        case .command(let command): return try run(command)
        case .assignment(let assignment): return try assign(assignment)
        case .host(let text):
            // A host command may need the terminal; its output is recorded only when there is none.
            if shell.tap.isHeard, !shell.isInteractive, !text.isEmpty {
                let tee = try HostOutput(shell.console)
                let running = try HostCommand.start(
                    text, input: shell.input, output: tee.writeEnd, environment: shell.hostEnvironment)
                let status = tee.wait(for: running)
                if tee.isHeld { shell.tellHeldOutput(of: "!\(text)") }
                return status
            }
            return try HostCommand.run(text, input: shell.input, environment: shell.hostEnvironment)
        case .step(let text): return try PromptStep(shell).run(text)
        case .recall(let reference):
            throw ShaleError(.usage, "!\(reference): no such line in the history", hint: "history")
        }
    }

    // MARK: Commands

    private func run(_ command: Command) throws(ShaleError) -> Int32 {
        guard !command.words.isEmpty || command.pipeline != nil || !command.redirections.isEmpty else { return 0 }
        // The command is looked up before a file is opened or a host command is started.
        let arguments = try arguments(of: command.words)
        if let word = arguments.first { try requireCommand(word) }
        let isForContainer = command.words.first?.plain.map(CommandTable.keepsVariablesOfDocument) ?? false
        var streams = try CommandStreams(command, shell: shell) { [self] word, isDocument throws(ShaleError) in
            var expansion = self.expansion
            let text = try expansion.text(word, unknown: isDocument && isForContainer ? .keep : .fail)
            noteKept(expansion.kept)
            return text
        }
        defer { streams.restore(shell) }
        let status: Int32
        do throws(ShaleError) {
            status = try run(arguments: arguments, aliasDepth: 0)
            try shell.console.checkWritten()
        } catch {
            // Reported while the command's own streams are open, so that `2>` and `|&` get its message too.
            let isRedirected = !command.redirections.isEmpty || command.pipeline?.includesErrors ?? false
            if isRedirected { report?(error) }
            streams.finishOutput()
            _ = streams.waitForHost(shell)
            guard isRedirected, report != nil else { throw error }
            return error.status(of: command.words.first?.plain)
        }
        streams.finishOutput()
        let host = streams.waitForHost(shell) ?? 0
        return status != 0 ? status : host
    }

    /// The words with their variables, the verb first.
    private func arguments(of words: [Word]) throws(ShaleError) -> [String] {
        guard !words.isEmpty else { return [] }
        var expansion = self.expansion
        let hasVariables = words.contains { $0.constant == nil }
        let container = hasVariables ? ContainerWords.start(in: words) { shell.value(of: $0) } : words.count
        let arguments = try expansion.arguments(words) { index in index >= container ? .keep : .fail }.map(\.text)
        noteKept(expansion.kept)
        return arguments
    }

    /// Warns once about each variable that is passed to a container unchanged.
    private func noteKept(_ variables: [String]) {
        for variable in variables where notedKept.insert(variable).inserted {
            shell.console.note("\(variable) is no variable here and goes to the container as it is")
        }
    }

    /// Throws for a word that is no command; an alias is what it stands for.
    private func requireCommand(_ word: String) throws(ShaleError) {
        var word = word
        for _ in 0..<Self.deepestAlias {
            guard let alias = shell.aliases[word] else { break }
            guard case .command(let command)? = try LineParser().statements(in: alias).first?.body,
                let first = command.words.first?.constant
            else { return }
            word = first
        }
        guard shell.aliases[word] != nil || table.find(word) != nil else { throw table.unknown(word) }
    }

    static let deepestAlias = 8

    /// Runs a command from its words, the verb first.
    ///
    /// Throws the error of a command that is not known, and what the command throws.
    package func run(arguments: [String], aliasDepth: Int = 0) throws(ShaleError) -> Int32 {
        guard let word = arguments.first else { return 0 }
        if let alias = shell.aliases[word], aliasDepth < Self.deepestAlias {
            return try run(alias: alias, rest: Array(arguments.dropFirst()), depth: aliasDepth + 1)
        }
        guard let type = table.find(word) else { throw table.unknown(word) }
        shell.beginUse(type.leasesWhatItUses)
        shell.wordsUnderWay = arguments
        let outcome = try type.invoke(WorkingImageNames.resolved(arguments, shell), in: shell)
        try Observer.measure(.shell, "print") { () throws(ShaleError) in try show(outcome) }
        if outcome.leaves { leaving = outcome.status }
        return outcome.status
    }

    private func run(alias: String, rest: [String], depth: Int) throws(ShaleError) -> Int32 {
        let statements = try LineParser().statements(in: alias)
        guard statements.count == 1, case .command(let command)? = statements.first?.body else {
            throw ShaleError(.usage, "an alias is one command")
        }
        var expansion = self.expansion
        let words = try expansion.arguments(command.words).map(\.text)
        return try run(arguments: words + rest, aliasDepth: depth)
    }

    private func show(_ outcome: Outcome) throws(ShaleError) {
        let console = shell.console
        let pager = shell.settings["pager"]
        switch outcome.output {
        case .none: break
        case .lines(let lines): for line in lines { console.line(line) }
        case .paged(let lines):
            let text = lines.map { $0 + "\n" }.joined()
            shell.mode == .script ? console.show(text) : console.page(text, setting: pager)
        case .drawing(let lines):
            let text = lines.map { $0 + "\n" }.joined()
            shell.mode == .script
                ? console.show(drawing: text) : console.page(text, isDrawing: true, setting: pager)
        case .text(let text): page(text)
        case .table(let table):
            page(shell.showsTall ? table.tallText : table.text(width: console.width))
        case .listing(let listing, let format, let quiet, let quietWins):
            page(
                try listing.text(
                    format: format, quiet: quiet, quietWins: quietWins, width: console.width, isTall: shell.showsTall))
        case .documents(let documents, let template):
            console.show(try DocumentText.text(of: documents, template: template))
        }
    }

    /// Through the pager where a person sits at a terminal that is too small for it.
    private func page(_ text: String) {
        shell.isInteractive ? shell.console.page(text, setting: shell.settings["pager"]) : shell.console.show(text)
    }

    // MARK: Variables

    private func assign(_ assignment: Assignment) throws(ShaleError) -> Int32 {
        if HostVariables.keeps(assignment.name) {
            shell.console.note(
                "$\(assignment.name) is set for shale's own lines; host programs keep the \(assignment.name) they had")
        }
        let table = self.table
        switch assignment.meaning(isVerb: { table.find($0) != nil }) {
        case .value(let words):
            if case .command(let command) = assignment.source,
                !command.redirections.isEmpty || command.pipeline != nil
            {
                // Without a value it was meant as a command; when that does not exist, no file is opened.
                throw table.unknown(words.first?.constant ?? words.first?.source ?? "")
            }
            var expansion = self.expansion
            shell.variables[assignment.name] =
                try expansion.arguments(words).map(\.text).joined(separator: " ")
            return 0
        case .capture(let command):
            let (text, status) = try capture { () throws(ShaleError) in try run(command) }
            shell.variables[assignment.name] = text
            return status
        case .captureHost(let text):
            let (output, status) = try HostCommand.capture(text, environment: shell.hostEnvironment)
            shell.variables[assignment.name] = output.trimmingFinalNewlines
            return status
        }
    }

    private func capture(_ body: () throws(ShaleError) -> Int32) throws(ShaleError) -> (String, Int32) {
        let buffer = OutputBuffer()
        let before = shell.console
        shell.console = before.redirected(output: .buffer(buffer))
        defer { shell.console = before }
        let status = try body()
        if buffer.isCut { throw ShaleError(.unsupported, "the output is longer than a variable holds (64 MiB)") }
        return (buffer.text.trimmingFinalNewlines, status)
    }

    private var expansion: Expansion {
        let shell = self.shell
        return Expansion(
            lookup: { shell.value(of: $0) },
            substitute: { [self] text throws(ShaleError) in try substitute(text) },
            names: (Array(shell.variables.keys) + shell.console.environment.keys).sorted(),
            home: shell.console.environment["HOME"])
    }

    /// `$(…)`: the output of commands of shale's, else of the host's.
    private func substitute(_ text: String) throws(ShaleError) -> String? {
        guard let statements = try? LineParser().statements(in: text),
            case .command(let command)? = statements.first?.body, let word = command.words.first?.plain,
            shell.aliases[word] != nil || table.find(word) != nil, !HostFiles.areMeant(by: command, shell)
        else { return try hostOutput(of: text) }
        guard substitutionDepth < 8 else { throw ShaleError(.usage, "$(…) is nested too deep") }
        substitutionDepth += 1
        defer { substitutionDepth -= 1 }
        return try capture { () throws(ShaleError) in
            var status: Int32 = 0
            for statement in statements { status = try perform(statement.body) }
            return status
        }.0
    }

    /// The output of the host's shell for a text; when the program does not exist, the command that needs it fails.
    private func hostOutput(of text: String) throws(ShaleError) -> String {
        let (output, status) = try HostCommand.capture(text, environment: shell.hostEnvironment)
        guard status != 127 else {
            throw ShaleError(
                .commandNotFound, "$(\(text.visible)): neither a command of shale's nor of the host's",
                hint: "quote it to keep it as it is: '$(\(text.visible))'", exitStatus: 64)
        }
        return output
    }
}

extension Statement.Body {
    /// The first word, where it is a command's.
    var verb: String? {
        switch self {
        case .command(let command): command.words.first?.plain
        case .step(let text): text.split(separator: " ").first.map(String.init)
        case .assignment(let assignment): assignment.name
        case .host: "!"
        case .recall: nil
        }
    }
}
