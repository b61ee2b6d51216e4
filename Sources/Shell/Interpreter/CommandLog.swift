import Basics
import Diagnostics
import Lessons
import Logging
import OCI
import Recipes
import Rendering
import Sessions
import ShellLanguage
import Stores

/// Writes one statement into the session's journal: what was typed, how it ended, what it made and changed.
///
/// The home keeps what this process did to names and images, so that the change of a name can be undone whichever
/// command made it.
struct CommandLog {
    private let statement: Statement
    private let shell: ShellContext
    private let start = Timestamp.now()
    private let directory: String
    /// The text of it in the journal; empty for a statement that was not typed.
    private let line: String
    /// The command that the line runs.
    private let verb: String
    private let outer: LineUnderWay?

    /// What stands in the journal for a line that is not kept, where it changed something.
    private static let hidden = "(a line that is not kept)"

    init(_ statement: Statement, shell: ShellContext) {
        self.statement = statement
        self.shell = shell
        directory = shell.hostDirectory
        // What an outer statement has done so far is written with this one.
        if shell.statementDepth == 1 { shell.discardTableChanges() }
        let isHidden = statement.isPrivate && !statement.source.isEmpty
        let written = InnerCommand(of: statement)
        verb = written?.verb ?? statement.body.verb ?? ""
        line = isHidden ? Self.hidden : Secrets.masked(written?.source ?? statement.source).text
        outer = shell.beginLine(
            line.isEmpty
                ? nil
                : LineUnderWay(session: shell.options.session, line: line, directory: directory, time: start))
    }

    /// Writes a failure into the log: a user's mistake at a detailed level, a failure of shale or the host at a level
    /// that is always kept.
    func noteFailure(_ error: ShaleError) {
        if shell.statementDepth == 1 { shell.lastFailure = (line, error) }
        let isGrave = [.corrupt, .io, .engine, .noSpace].contains(error.code)
        Logger.shell.log(
            level: isGrave ? .error : .info, "command failed",
            metadata: ["line": "\(line.isEmpty ? Self.hidden : line)", "error": "\(error)"])
    }

    private func noteEnd(_ status: Int32) {
        guard !line.isEmpty else { return }
        Logger.shell.info(
            "command",
            metadata: [
                "line": "\(line)", "status": "\(status)", "session": "\(shell.options.session)",
                "ms": "\(Milliseconds.text(Timestamp.now().seconds(since: start) * 1000))",
            ])
    }

    /// Writes the statement down.
    ///
    /// Throws `conflict` where what it did to the working image does not count, another shale having changed that
    /// meanwhile; whatever else keeps a line out of the journal is a warning.
    func finish(status: Int32) throws(ShaleError) {
        defer { _ = shell.beginLine(outer) }
        noteEnd(status)
        var draft = JournalDraft(line: line, directory: directory, time: start)
        shell.takeChanges(into: &draft)
        let changes = draft.changes
        if status == 0 { teach(changes) }
        // Verbs that failed have written nothing, or only how far they came.
        if status == 0, CommandTable.shared.find(verb)?.writesItsOwnEntries ?? false { return }
        if line.isEmpty { return }
        if statement.isPrivate, changes.isEmpty { return }
        // A command from the host's command line that only looks is not kept, and opens no session.
        let isWorthKeeping = CommandTable.shared.find(words: shell.wordsUnderWay)?.isWorthKeeping ?? true
        if changes.isEmpty, shell.mode == .single, !isWorthKeeping { return }
        // In a home that cannot be written to, a line that changed nothing need not be kept, and one that tried to has
        // failed.
        if changes.isEmpty, (try? shell.engine().home.isReadOnly) ?? true { return }
        draft.status = status
        draft.seconds = Timestamp.now().seconds(since: start)
        draft.made = shell.made
        do throws(ShaleError) {
            if changes.isEmpty, !shell.hasReadSession {
                try Session.note(draft, session: shell.options.session, in: shell.sessions())
            } else {
                try shell.record(draft, in: shell.session())
            }
        } catch {
            if error.code == .conflict, changes.contains(where: \.isOfWorkingImage) { throw error }
            // A failed command has already reported its error, and the reason is usually the same.
            if status != 0, changes.isEmpty { return }
            shell.console.warning("this line is not in the journal: \(error)")
        }
    }

    /// `set teach on`: says in a line what the statement did on disk.
    private func teach(_ changes: [StateChange]) {
        guard !line.isEmpty, shell.statementDepth == 1, shell.settings["teach"] == "on",
            !(CommandTable.shared.find(verb)?.isAboutLines ?? false), let engine = try? shell.engine()
        else { return }
        let facts = LineFacts(statement.body, line: line, status: 0, made: shell.made, changes: changes)
        guard !facts.isForPrograms else { return }
        shell.console.aside(TeachingLine(engine).text(facts))
    }
}
