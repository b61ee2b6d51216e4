import Basics
import Engine
import OCI
import Sessions
import Stores

/// Writes one statement into the session's journal: what was typed, how it ended, what it made and changed.
///
/// Names are compared before and after, so that whatever moved a name can be undone, by whichever command.
struct CommandLog {
    private let statement: Statement
    private let shell: ShellContext
    private let start = Timestamp.now()
    private let directory: String
    private var namesBefore: [Reference: ImageEntry]?

    /// Verbs that can move names.
    private static let naming: Set<String> = [
        "tag", "untag", "rmi", "commit", "build", "pull", "load", "import", "squash", "config", "rebase", "replay",
        "run", "create", "prune", "edit", "drop", "move",
    ]
    /// Verbs that move through states: they write their own entries.
    private static let moving: Set<String> = ["undo", "redo", "goto"]

    init(_ statement: Statement, shell: ShellContext) {
        self.statement = statement
        self.shell = shell
        directory = shell.hostDirectory
        if movesNames { namesBefore = try? shell.engine().namesAndImages() }
        // What undo may bring back must survive the command that removes it.
        if ["rmi", "untag", "prune"].contains(verb), let namesBefore {
            try? shell.session().protect(namesBefore.values)
        }
    }

    private var verb: String { statement.body.verb ?? "" }

    /// A throw-away `run` of one word at the host's prompt need not look.
    private var movesNames: Bool {
        if case .step = statement.body { return true }
        guard case .command = statement.body else { return false }
        if shell.mode == .single, verb == "run" || verb == "create" { return false }
        return Self.naming.contains(verb)
    }

    func finish(status: Int32) {
        if statement.isPrivate || Self.moving.contains(verb) || statement.source.isEmpty { return }
        var changes = shell.changes
        if let namesBefore, let now = try? shell.engine().namesAndImages() {
            let moved = Set(namesBefore.keys).union(now.keys).filter { namesBefore[$0] != now[$0] }
            changes += moved.sorted { $0.description < $1.description }
                .map { .name($0, before: namesBefore[$0], after: now[$0]) }
        }
        // Looking at things leaves no trace of a host's command line, and opens no session for it.
        let isWorthKeeping = CommandTable.shared.find(verb)?.isWorthKeeping ?? true
        if changes.isEmpty, shell.mode == .single, !isWorthKeeping { return }
        var draft = JournalDraft(line: SecretMask.masked(statement.source), directory: directory, time: start)
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

/// Takes secrets out of a line before it is kept.
enum SecretMask {
    /// The words of the line, the values of passwords, tokens and secrets replaced by `***`.
    static func masked(_ line: String) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let isLogin = words.first == "login" || words.prefix(3).contains("login")
        for (index, word) in words.enumerated() {
            let takesNext = ["--password", "--secret"].contains(word) || (isLogin && word == "-p")
            if takesNext, index + 1 < words.count {
                words[index + 1] = "***"
            } else if let equals = word.firstIndex(of: "="), Secrets.isNamed(String(word[..<equals])) {
                words[index] = word[...equals] + "***"
            }
        }
        return words.joined(separator: " ")
    }
}
