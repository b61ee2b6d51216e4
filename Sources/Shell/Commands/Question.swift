import Basics
import Glibc

/// A question that a person answers with yes before something is taken away.
struct Question {
    /// What is told when the answer is no: `prune has been cancelled`.
    let refusal: String
    /// The line that does it without asking.
    let hint: String

    /// Waits for a `y`; throws for anything else, for a Ctrl-C at once, and where there is no one to ask.
    func ask(_ shell: ShellContext) throws(ShaleError) {
        guard isatty(shell.input) == 1 else {
            throw ShaleError(.usage, "\(refusal): there is no one to ask", hint: hint)
        }
        let answer = try SecretInput(descriptor: shell.input).ask(
            "Are you sure you want to continue? [y/N] ", console: shell.console, isHidden: false)
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw ShaleError(.cancelled, refusal, exitStatus: 1)
        }
    }
}
