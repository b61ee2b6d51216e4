import Basics
import Glibc
import LineEditing
import Linux
import Rendering
import Sessions
import ShellLanguage
import Stores

/// The prompt: reads commands from the terminal until the user leaves.
struct PromptLoop {
    private let shell: ShellContext
    private let interpreter: Interpreter

    init(_ shell: ShellContext) {
        self.shell = shell
        interpreter = Interpreter(shell)
    }

    func run() throws(ShaleError) -> Int32 {
        _ = try shell.engine()
        try shell.joinSession()
        let history = HistoryFile(path: HistoryLocation(shell.console.environment).path("history"))
        let editor = try LineEditor(
            console: shell.console, history: history, completer: PromptCompletion.completer(shell),
            questions: questions(history))
        shell.history = history
        shell.console.note("shale \(Version.current): type help, or a Dockerfile instruction such as FROM busybox")
        readStartupFile()
        while true {
            if let status = interpreter.leaving { return status }
            switch editor.read(prompt: prompt) {
            case .interrupted: continue
            case .endOfInput: return shell.lastStatus == 130 ? 0 : shell.lastStatus
            case .line(let text): carryOut(text, editor)
            }
        }
    }

    /// A line that repeats an earlier one (`!!`) is not added to the history itself.
    private func questions(_ history: HistoryFile) -> LineEditor.Questions {
        let shell = self.shell
        var questions = LineEditor.Questions { Self.parser(shell) }
        questions.beginsBlock = { Transcript.begins($0, at: .prompt) }
        let mayRemember = questions.mayRemember
        questions.mayRemember = { mayRemember($0) && Recall($0, in: history) == nil }
        return questions
    }

    private static func parser(_ shell: ShellContext) -> LineParser {
        LineParser(origin: .prompt, aliases: Set(shell.aliases.keys))
    }

    private func carryOut(_ text: String, _ editor: LineEditor) {
        do throws(ShaleError) {
            var text = text
            if let recall = Recall(text, in: editor.history) {
                text = try recall.line()
                shell.console.note(text)
                editor.remember(text)
            }
            let parser = Self.parser(shell)
            // A recording replays without the output that was pasted too.
            let commands = Transcript.commandsOnly(text, by: parser)
            // Lines that were typed ahead are meant to run.
            if editor.wasGathered { noteOutput(of: text, commands) }
            text = commands
            text = try SecretAnswers(shell).filled(text)
            let statements = try parser.statements(in: text)
            Interrupt.watch()
            let isPrivate = statements.first?.isPrivate ?? false
            let status = shell.typed(text, isPrivate: isPrivate) { interpreter.run(statements) }
            // The terminal wrote `^C` itself.
            if Interrupt.flag.isCancelled || status > 128 { FreshLine.isUnknown() }
        } catch {
            shell.console.report(error)
            shell.lastStatus = 64
        }
    }

    /// Says which lines of a pasted block did not run.
    private func noteOutput(of text: String, _ commands: String) {
        func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        let left = zip(lines(text), lines(commands)).filter { !$0.isEmpty && $1.isEmpty }.map(\.0)
        guard let first = left.first else { return }
        let more = left.count > 1 ? " and \(left.count - 1) more" : ""
        let start = String(first).trimmingBlanks.visible.ellipsis(40)
        shell.console.note("not run, because lines beside it bear a prompt sign: \(start)\(more)")
    }

    /// The session where it is not the default one, where relative paths start, and the last status if it was bad.
    private var prompt: String {
        if let given = shell.console.environment["SHALE_PROMPT"] { return given }
        let session = shell.options.session == "default" ? "" : "(\(shell.options.session)) "
        let status = shell.lastStatus == 0 ? "" : "[\(shell.lastStatus)] "
        let place = shell.place.map { "\($0) " } ?? ""
        return "\(session)\(status)\(place)shale> "
    }

    private func readStartupFile() {
        guard shell.options.readsStartupFile else { return }
        let environment = shell.console.environment
        let folder = environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { "\($0)/.config" }
        guard let path = folder.map({ "\($0)/shale/rc.shale" }), access(path, R_OK) == 0 else { return }
        do throws(ShaleError) {
            _ = try ScriptRun(shell).run(file: path, arguments: [])
        } catch {
            shell.console.report(error)
        }
    }
}
