@testable import ShellLanguage

extension LineParser {
    /// Reads lines with the few verbs that the tests use, as the shell does with all of its own.
    init(origin: Origin = .script, aliases: Set<String> = []) {
        let verbs: Set<String> = [
            "build", "cat", "cd", "export", "exit", "images", "info", "ps", "pull", "quit", "run", "system",
            "tag", "version",
        ]
        let spelling = Spelling(nouns: [
            "image": ["ls": ["images"], "rm": ["rmi"]], "container": ["ls": ["ps"], "prune": ["prune", "containers"]],
            "system": ["df": ["df"], "prune": ["prune", "all"]], "buildx": ["build": ["build"]],
        ])
        self.init(origin: origin, commands: verbs.union(aliases), spelling: spelling)
    }
}
