package import ShellLanguage

extension LineParser {
    /// Reads lines in which every verb of ``CommandTable`` begins a command, and every alias.
    package init(origin: Origin = .script, aliases: Set<String> = []) {
        self.init(origin: origin, commands: CommandTable.shared.words.union(aliases))
    }
}
