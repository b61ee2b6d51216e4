import Basics
import ShellLanguage

/// Which words of a command line a container will read.
enum ContainerWords {
    /// The index of the first word that belongs to the container, behind the image of `run`; the number of words where
    /// all are the host's.
    static func start(in words: [Word], value: (String) -> String?) -> Int {
        if words.first?.plain.flatMap(CommandTable.shared.find)?.holdsCommand ?? false {
            // The traced command's words are what they would be without.
            let options = words.dropFirst().prefix { $0.source.hasPrefix("-") }
            let skipped = 1 + options.reduce(0) { $0 + ($1.source == "--format" ? 2 : 1) }
            guard skipped < words.count else { return words.count }
            return skipped + start(in: Array(words[skipped...]), value: value)
        }
        guard let verb = words.first?.plain, CommandTable.keepsUnknownVariables(verb),
            let type = CommandTable.shared.find(verb)
        else { return words.count }
        let names = CommandTable.optionNames(of: type)
        var index = 1
        while index < words.count {
            let text = beginning(of: words[index], value)
            if text == "--" { return min(words.count, index + 2) }
            guard text.hasPrefix("-") else { return index + 1 }
            index += SpelledFlags.takesNext(text, by: names) ? 2 : 1
        }
        return words.count
    }

    /// The part of a word that is enough to recognise a flag.
    private static func beginning(of word: Word, _ value: (String) -> String?) -> String {
        if let text = word.constant { return text }
        switch word.parts.first {
        case .literal(let text, _)?: return text
        case .variable(let name, let source, _)?: return value(name) ?? source
        default: return word.source
        }
    }
}

/// Commands of shale's that look into images, and that the host has too: `ls`, `cat`.
enum HostFiles {
    private static let verbs: Set<String> = ["ls", "cat", "find", "grep", "stat", "du", "tree", "diff"]

    /// The host's command that a line behind a prompt sign means; `nil` where it means shale's.
    static func meant(by statement: Statement, _ shell: ShellContext) -> Statement.Body? {
        guard statement.isSigned, !statement.dropped.contains(where: Spelling.tools.contains),
            case .command(let command) = statement.body, areMeant(by: command, shell)
        else { return nil }
        return .host(statement.source + statement.hereDocuments)
    }

    /// Whether a command is the host's own: nothing in it names an image, a container or a place in one.
    static func areMeant(by command: Command, _ shell: ShellContext) -> Bool {
        guard let verb = command.words.first?.plain, verbs.contains(verb), shell.place == nil else { return false }
        let operands = command.words.dropFirst().map { $0.constant ?? $0.source }.filter { !$0.hasPrefix("-") }
        if operands.isEmpty { return true }
        if operands.contains(where: { $0.contains(":/") || $0.contains("#") || $0.hasPrefix("@") }) { return false }
        return operands.contains { operand in
            operand.hasPrefix("/") || operand.hasPrefix(".") || operand.hasPrefix("~") || operand.hasPrefix("$")
                || operand.contains("*") || HostPath.exists(operand)
        }
    }
}
