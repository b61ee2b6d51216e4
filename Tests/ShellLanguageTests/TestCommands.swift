@testable import ShellLanguage

extension LineParser {
    /// Reads lines with the few verbs that the tests use, as the shell does with all of its own.
    init(origin: Origin = .script, aliases: Set<String> = []) {
        let verbs: Set<String> = [
            "build", "cat", "cd", "export", "images", "info", "ps", "pull", "run", "system", "tag", "version",
        ]
        self.init(origin: origin, commands: verbs.union(aliases))
    }
}
