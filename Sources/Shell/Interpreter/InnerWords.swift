import Basics
import ShellLanguage

/// The words of the command that another one carries out, in shale's own spelling.
struct InnerWords {
    let words: [String]
    private let verb: String

    /// Throws `usage` where there is no command; the hint is the holder's first example.
    init(_ typed: [String], of holder: any Verb.Type) throws(ShaleError) {
        var spelled = typed.map { Word($0) }
        _ = CommandTable.shared.spelling.normalise(&spelled)
        words = spelled.map { $0.constant ?? $0.source }
        guard let verb = words.first else {
            throw ShaleError(
                .usage, "'\(holder.verb)' requires at least 1 argument", hint: holder.examples.first ?? "help")
        }
        self.verb = verb
    }

    /// Whether it may change something, which the journal keeps.
    var isWorthKeeping: Bool {
        StepKeyword.starts(verb) || CommandTable.shared.find(words: words)?.isWorthKeeping ?? false
    }

    /// Carries it out, a command or a step; answers its status.
    ///
    /// Throws what the command throws, with the status that it would have by itself.
    func run(in shell: ShellContext) throws(ShaleError) -> Int32 {
        do throws(ShaleError) {
            if StepKeyword.starts(verb) { return try PromptStep(shell).run(words.joined(separator: " ")) }
            return try Interpreter(shell).run(arguments: words)
        } catch {
            var error = error
            error.exitStatus = error.status(of: verb)
            throw error
        }
    }
}
