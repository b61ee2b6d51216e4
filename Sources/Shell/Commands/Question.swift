import Basics
import Glibc

/// A question that the user must answer with yes before something is removed.
struct Question {
    /// The message when the answer is no: `prune has been cancelled`.
    let refusal: String
    /// The line that does it without asking.
    let hint: String

    /// Waits for a `y`.
    ///
    /// Throws `cancelled` for any other answer and for Ctrl-C, and `usage` with a hint when there is no terminal to
    /// ask on.
    func ask(_ shell: ShellContext) throws(ShaleError) {
        guard isatty(shell.input) == 1 else {
            throw ShaleError(.usage, "\(refusal): there is no one to ask", hint: hint)
        }
        guard try Self.isYes("Are you sure you want to continue?", shell) else {
            throw ShaleError(.cancelled, refusal, exitStatus: 1)
        }
    }

    /// Whether the person at the terminal answers a question with yes; throws for a Ctrl-C.
    static func isYes(_ question: String, _ shell: ShellContext) throws(ShaleError) -> Bool {
        let answer = try SecretInput(descriptor: shell.input).ask(
            "\(question) [y/N] ", console: shell.console, isHidden: false)
        return ["y", "yes"].contains(answer.lowercased())
    }
}
