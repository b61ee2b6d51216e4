import ShellLanguage

/// The command that another one runs: `run …` in `trace run …`.
struct InnerCommand {
    /// Its first word, in shale's own spelling.
    let verb: String
    /// Its text, as it was typed.
    let source: String

    /// `nil` where the statement is no command that holds another (``Verb/holdsCommand``).
    init?(of statement: Statement) {
        guard case .command(let command) = statement.body, let count = Self.start(in: command.words.map(\.constant)),
            count < command.words.count
        else { return nil }
        // Words of the host's command line are quoted.
        var words = command.words[count...].map { word in word.constant.map { Word($0) } ?? word }
        _ = CommandTable.shared.spelling.normalise(&words)
        verb = words.first?.plain ?? ""
        source = statement.source(withoutWords: count)
    }

    /// The number of words in front of it, options and their values among them; `nil` where no command is held.
    static func start(in words: [String?]) -> Int? {
        guard let verb = words.first ?? nil, let type = CommandTable.shared.find(verb), type.holdsCommand else {
            return nil
        }
        let valued = CommandTable.optionNames(of: type).valued
        var count = 1
        while count < words.count, let word = words[count],
            word.hasPrefix("-") || word == verb || (count == 1 && type.takesNumberBeforeCommand && Double(word) != nil)
        {
            count += valued.contains(word) ? 2 : 1
        }
        return count
    }
}
