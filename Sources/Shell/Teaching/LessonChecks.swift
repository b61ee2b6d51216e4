import Basics
import Lessons
import ShellLanguage

/// Carries out the lines of a lesson's checks: they look at the home and at nothing else, change nothing, and leave no
/// trace in journal, history or variables.
struct LessonChecks {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    /// The commands that a check may call: those that only look, ask no server, and come to an end by themselves.
    private static let verbs: Set<String> = {
        let types: [any Verb.Type] = [
            Expect.self, Images.self, Inspect.self, HistoryCommand.self, Ps.self, Diff.self, VolumeLs.self,
            VolumeInspect.self, LayersCommand.self, Ls.self, Cat.self, Tree.self, Find.self, Stat.self, Du.self,
            Grep.self, BlameCommand.self, Waste.self, Size.self, Packages.self, Base.self, Compare.self,
            DockerfileCommand.self, Steps.self, Timeline.self, Reflog.self, RecipeCommand.self, Port.self, Df.self,
            Ref.self,
        ]
        return Set(types.map { $0.verb })
    }()
    /// Their options that a check may have: none of these writes a file, reads one of the host's, or asks a server.
    private static let flags: Set<String> = [
        "-a", "-q", "-aq", "-qa", "-f", "-l", "-n", "-r", "-R", "-i", "-c", "-s", "-d", "--all", "--quiet", "--filter",
        "--format", "--no-trunc", "--digests", "--size", "--tree", "--draw", "--name", "--type", "--tidy", "--top",
    ]
    /// Words behind `recipe` that make another command of it.
    private static let recipeCommands: Set<String> = ["save", "parse", "check", "verify", "plan"]

    /// What is wrong with a line; `nil` where it can be a check.
    static func problem(in line: String) -> String? {
        switch words(of: line) {
        case .success: nil
        case .failure(let error): error.description
        }
    }

    private static func words(of line: String) -> Result<[String], ShaleError> {
        do throws(ShaleError) {
            let statements = try LineParser(origin: .script).statements(in: line)
            guard statements.count == 1, case .command(let command)? = statements.first?.body,
                command.redirections.isEmpty, command.pipeline == nil
            else {
                return .failure(
                    ShaleError(.invalid, "a check is one command of shale's, without pipes and host commands"))
            }
            var words: [String] = []
            for word in command.words {
                guard let text = word.constant else {
                    return .failure(ShaleError(.invalid, "a check has no variables: \(word.source.visible)"))
                }
                words.append(text)
            }
            try check(words)
            return .success(words)
        } catch {
            return .failure(error)
        }
    }

    private static func check(_ words: [String]) throws(ShaleError) {
        var words = words
        if let start = InnerCommand.start(in: words) {
            guard start < words.count else { throw ShaleError(.invalid, "expect needs a command") }
            words = Array(words[start...])
        }
        guard let type = CommandTable.shared.find(words: words) else {
            throw CommandTable.shared.unknown(words.first ?? "")
        }
        guard verbs.contains(type.verb) else {
            throw ShaleError(.invalid, "a check only looks: \(type.verb.visible) may not stand there")
        }
        if let bad = words.first(where: { !mayStand($0) }) {
            throw ShaleError(.invalid, "a check only looks: \(bad.visible) may not stand there")
        }
        guard type == RecipeCommand.self else { return }
        let operands = words.dropFirst()
        if operands.count > 1 || operands.contains(where: { recipeCommands.contains($0) || $0.hasPrefix("-") }) {
            throw ShaleError(.invalid, "a check may say recipe and recipe NAME, no more")
        }
    }

    /// Whether a word may stand in a check: an operand, or one of the options that are known to only look.
    private static func mayStand(_ word: String) -> Bool {
        guard word.hasPrefix("-"), word != "-" else { return word != "-" }
        return flags.contains(word.firstIndex(of: "=").map { String(word[..<$0]) } ?? word)
    }

    /// Why the first line that fails does; `nil` where all succeed.
    func failure(of checks: [LessonCheck]) -> ShaleError? {
        let variables = shell.variables
        let cancelled = shell.cancellation.isCancelled
        defer { shell.variables = variables }
        if cancelled { return nil }
        return shell.leasing {
            for check in checks {
                switch Self.words(of: check.text) {
                case .failure(let error): return error
                case .success(let words): if let failure = HeardCommand(shell).run(words).failure { return failure }
                }
            }
            return nil
        }
    }
}
