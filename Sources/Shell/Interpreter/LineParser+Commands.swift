package import ShellLanguage

extension LineParser {
    /// Reads lines in which every verb of ``CommandTable`` begins a command, and every alias.
    package init(origin: Origin = .script, aliases: Set<String> = []) {
        let table = CommandTable.shared
        self.init(origin: origin, commands: table.words.union(aliases), spelling: table.spelling)
    }
}
