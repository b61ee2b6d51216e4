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
            Interrupt.watch()
            try PastedBlock(text, commands)?.ask(shell)
            text = commands
            text = try SecretAnswers(shell).filled(text)
            let statements = try parser.statements(in: text)
            let isPrivate = statements.first?.isPrivate ?? false
            let status = shell.typed(text, isPrivate: isPrivate) { interpreter.run(statements) }
            // The terminal wrote `^C` itself.
            if Interrupt.flag.isCancelled || status > 128 { FreshLine.isUnknown() }
        } catch {
            shell.console.report(error)
            shell.lastStatus = error.code == .cancelled ? Interrupt.status : 64
        }
    }

    private var prompt: String {
        if let given = shell.console.environment["SHALE_PROMPT"] { return given }
        return PromptText.filled(shell.settings["prompt"] ?? PromptText.standard) { part in
            switch part {
            case .session: shell.options.session == ShellOptions.firstSession ? nil : "(\(shell.options.session))"
            case .status: shell.lastStatus == 0 ? nil : "[\(shell.lastStatus)]"
            case .image: workingImage
            case .place: shell.place?.visible
            }
        }
    }

    /// `busybox+2`: two steps behind `FROM busybox`; `nil` without a working image, and where the terminal is too narrow.
    private var workingImage: String? {
        // Changed settings close the session.
        if !shell.hasReadSession { readShortJournal() }
        guard shell.hasReadSession, shell.console.width ?? 80 >= 60, let working = try? shell.session().working
        else { return nil }
        let words = working.base.instruction.split(separator: " ").dropFirst().drop { $0.hasPrefix("--") }
        let base = String(words.first ?? "scratch").visible.ellipsis(24)
        return "\(base)+\(working.steps.count)"
    }

    /// A long journal is read once a command needs it: the first prompt does not wait for that.
    private func readShortJournal() {
        guard let folder = try? shell.sessionFolder(),
            let size = try? FileStatus.of(hostPath: folder.journal).size, size < 256 << 10
        else { return }
        _ = try? shell.session()
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
