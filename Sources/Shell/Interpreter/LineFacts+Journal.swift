import Basics
import Lessons
import Sessions
import ShellLanguage

extension LineFacts {
    /// Of a line in the journal; `failure` is why it failed, where this shale ran it.
    init(_ entry: JournalEntry, failure: ShaleError?) {
        let statement = (try? LineParser().statements(in: entry.line))?.last
        self.init(
            statement?.body, line: entry.line, status: entry.status, made: entry.made ?? [],
            changes: entry.changes ?? [], movedTo: entry.movedTo, failure: failure)
    }

    /// Of a line as it was read.
    init(
        _ body: Statement.Body?, line: String, status: Int32, made: [String], changes: [StateChange],
        movedTo: Int? = nil, failure: ShaleError? = nil
    ) {
        var words: [String] = []
        switch body {
        case .command(let command)?: words = command.words.map { $0.constant ?? $0.source }
        case .step(let text)?: words = text.split(separator: " ").map(String.init)
        case .assignment, .host, .recall, nil: break
        }
        // The command within `trace COMMAND`.
        if let start = InnerCommand.start(in: words), start < words.count { words.removeFirst(start) }
        let type = CommandTable.shared.find(words: words)
        let verb = type?.verb ?? words.first ?? ""
        self.init(
            line: line, verb: verb, words: Array(words.dropFirst(verb.split(separator: " ").count)), status: status,
            made: made, changes: changes, movedTo: movedTo, failure: failure)
    }

    /// The command that it calls.
    var type: (any Verb.Type)? { CommandTable.shared.find(words: verb.split(separator: " ").map(String.init)) }

    /// Whether its output is for a program: a line about it would not help anyone.
    var isForPrograms: Bool {
        zip(words, words.dropFirst() + [""]).contains { word, next in
            word == "--format=json" || (word == "--format" && next == "json")
        }
    }
}
