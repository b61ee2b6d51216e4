import Basics

/// One line typed while stepping: buildg's commands, and shale's own.
enum StepCommand: Equatable {
    case next
    /// Until a breakpoint, or until a line or key named here.
    case proceed(until: String?)
    case back(Int)
    case breakAt(String)
    case breakpoints
    case clear(String)
    case clearAll
    case list(before: Int, after: Int, all: Bool)
    case enter(command: String)
    case retry(String)
    /// `line` is the current one where none is named; without a text the editor is opened.
    case edit(line: Int?, text: String?)
    case rollback
    case save(String)
    case reload
    case exit
    case help
    /// `diff` alone: what the last step changed.
    case changes
    /// A Dockerfile instruction: carried out here, and put in front of the current one.
    case instruction(String)
    /// Anything else: a line of shale's language.
    case other(String)

    /// Names, usage and what it does, for `help` and Tab.
    static let table: [(names: [String], usage: String, summary: String)] = [
        (["next", "n"], "next", "carry out the current instruction"),
        (["continue", "c"], "continue [LINE]", "carry on to the next breakpoint, to LINE, or to the end"),
        (["back"], "back [N]", "take back the last N instructions (1)"),
        (
            ["break", "b"], "break LINE|INSTRUCTION|on-fail",
            "stop before a line, before every RUN say, or at a failure"
        ),
        (["breakpoints", "bp"], "breakpoints", "list the breakpoints"),
        (["clear"], "clear KEY|LINE|INSTRUCTION|on-fail", "remove a breakpoint"),
        (["clearall"], "clearall", "remove all breakpoints"),
        (["list", "l", "ls"], "list [--all] [-A N] [-B N] [--range N]", "show the file around the current line"),
        (["enter", "exec", "e"], "enter [COMMAND]", "a shell in the state so far, or in the failed container"),
        (["retry"], "retry ['RUN …']", "carry out the current instruction again, or another in its place"),
        (["edit"], "edit [LINE] [TEXT]", "change an instruction: to TEXT, or in $EDITOR; empty quotes remove it"),
        (["rollback"], "rollback", "forget what was done in the entered shell and by the failed instruction"),
        (["diff"], "diff", "what the last instruction changed, or the failed one"),
        (["save"], "save FILE", "write the file as it is now, edits included"),
        (["reload"], "reload", "read the file again"),
        (["exit", "quit", "q"], "exit", "leave; finished steps stay in the cache"),
        (["help", "?"], "help", "this list; any other line is carried out by shale"),
    ]

    private static let verbs: [String: String] = {
        var all: [String: String] = [:]
        for entry in table where entry.names != ["diff"] { for name in entry.names { all[name] = entry.names[0] } }
        return all
    }()

    init(parsing line: String) throws(ShaleError) {
        let text = line.trimmingBlanks
        let word = String(text.prefix { !$0.isWhitespace })
        let rest = String(text.dropFirst(word.count)).trimmingBlanks
        if Self.isInstruction(word) {
            self = .instruction(text)
            return
        }
        // `ls -l PLACE` is shale's own, `ls -A 2` is buildg's.
        let isPlaces = word == "ls" && (try? Self.list(rest)) == nil
        guard let verb = Self.verbs[word], !isPlaces else {
            self = word == "diff" && rest.isEmpty ? .changes : .other(text)
            return
        }
        self = try Self.read(verb, rest)
    }

    private static func isInstruction(_ word: String) -> Bool {
        word == word.uppercased() && word.first?.isLetter == true && Self.keywords.contains(word)
    }

    static let keywords: Set<String> = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    private static func read(_ verb: String, _ rest: String) throws(ShaleError) -> StepCommand {
        switch verb {
        case "continue": return .proceed(until: rest.isEmpty ? nil : rest)
        case "back":
            guard let count = rest.isEmpty ? 1 : Int(rest), count > 0 else { throw usage(verb) }
            return .back(count)
        case "break":
            if rest.isEmpty { throw usage(verb) }
            return .breakAt(rest)
        case "clear":
            if rest.isEmpty { throw usage(verb) }
            return .clear(rest)
        case "list": return try list(rest)
        case "enter": return .enter(command: unquoted(rest))
        case "retry": return .retry(unquoted(rest))
        case "edit":
            let number = rest.prefix { $0.isNumber }
            let hasLine = !number.isEmpty && (rest.count == number.count || rest.dropFirst(number.count).first == " ")
            let text = hasLine ? String(rest.dropFirst(number.count)).trimmingBlanks : rest
            return .edit(line: hasLine ? Int(number) : nil, text: text.isEmpty ? nil : unquoted(text))
        case "save":
            if rest.isEmpty { throw usage(verb) }
            return .save(unquoted(rest))
        default: break
        }
        guard rest.isEmpty else { throw usage(verb) }
        switch verb {
        case "next": return .next
        case "breakpoints": return .breakpoints
        case "clearall": return .clearAll
        case "rollback": return .rollback
        case "reload": return .reload
        case "exit": return .exit
        default: return .help
        }
    }

    private static func list(_ rest: String) throws(ShaleError) -> StepCommand {
        var words = rest.split(separator: " ").map(String.init)[...]
        var (before, after, all) = (SourceView.defaultRange, SourceView.defaultRange, false)
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            guard word.hasPrefix("-") else { throw usage("list") }
            let name = parts[0].drop { $0 == "-" }
            if name == "all" || name == "a" {
                all = true
                continue
            }
            guard let value = parts.count > 1 ? parts[1] : words.popFirst(), let count = Int(value), count >= 0 else {
                throw usage("list")
            }
            switch name {
            case "A": after = count
            case "B": before = count
            case "range": (before, after) = (count, count)
            default: throw usage("list")
            }
        }
        return .list(before: before, after: after, all: all)
    }

    /// The error for a word that is neither a command here nor one of shale's.
    static func unknown(_ word: String) -> ShaleError {
        let near = Suggestion.nearest(to: word, among: table.flatMap(\.names).filter { $0.count > 2 }).first
        let all = table.map { $0.names[0] }.joined(separator: ", ")
        return ShaleError(.usage, "unknown command: \(word.visible)", hint: near ?? "one of: \(all), an instruction")
    }

    private static func usage(_ verb: String) -> ShaleError {
        let line = table.first { $0.names[0] == verb }?.usage ?? verb
        return ShaleError(.usage, "\(verb): usage: \(line)", hint: "help")
    }

    /// A text without the quotes around the whole of it.
    private static func unquoted(_ text: String) -> String {
        guard let quote = text.first, quote == "'" || quote == "\"", text.count > 1, text.last == quote else {
            return text
        }
        let inner = text.dropFirst().dropLast()
        return inner.contains(quote) ? text : String(inner)
    }
}
