import Basics
import Engine
import OCI
import Sessions
import Stores

/// Writes one statement into the session's journal: what was typed, how it ended, what it made and changed.
///
/// The store tells what this process did to names and images, so that whatever moved a name can be undone, by whichever
/// command.
struct CommandLog {
    private let statement: Statement
    private let shell: ShellContext
    private let start = Timestamp.now()
    private let directory: String

    /// Verbs that move through states: they write their own entries.
    private static let moving: Set<String> = ["undo", "redo", "goto"]
    /// What stands in the journal for a line that is not kept, where it changed something.
    private static let hidden = "(a line that is not kept)"

    init(_ statement: Statement, shell: ShellContext) {
        self.statement = statement
        self.shell = shell
        directory = shell.hostDirectory
        shell.discardTableChanges()
    }

    private var verb: String { statement.body.verb ?? "" }

    func finish(status: Int32) {
        let changes = shell.takeChanges()
        // Those that failed have written nothing, or only how far they came.
        if Self.moving.contains(verb), status == 0 { return }
        if statement.source.isEmpty { return }
        if statement.isPrivate, changes.isEmpty { return }
        // Looking at things leaves no trace of a host's command line, and opens no session for it.
        let isWorthKeeping = CommandTable.shared.find(verb)?.isWorthKeeping ?? true
        if changes.isEmpty, shell.mode == .single, !isWorthKeeping { return }
        let line = statement.isPrivate ? Self.hidden : SecretMask.masked(statement.source)
        var draft = JournalDraft(line: line, directory: directory, time: start)
        draft.status = status
        draft.seconds = Timestamp.now().seconds(since: start)
        draft.made = shell.made
        draft.changes = changes
        do throws(ShaleError) {
            if changes.isEmpty, !shell.hasOpenSession {
                try Session.note(draft, session: shell.options.session, engine: shell.engine())
            } else {
                try shell.session().record(draft)
            }
        } catch {
            // A command that failed has said why, and that is mostly the same reason.
            if status != 0, changes.isEmpty { return }
            shell.console.warning("this line is not in the journal: \(error)")
        }
    }
}
