package import Basics
import Linux

/// A line that stands for one of the history: `!!`, `!12`, `!-2`, each with more behind it, and `!word`.
package struct Recall {
    private let reference: String
    private let found: String?
    private let rest: String

    /// `nil` for any other line; `!word` is one only where the host has no such program and a line begins so.
    package init?(_ text: String, in history: HistoryFile) {
        guard text.hasPrefix("!") else { return nil }
        let word = text.dropFirst().prefix { !$0.isWhitespace }
        let rest = text.dropFirst(1 + word.count)
        let digits = word.drop { $0 == "-" }
        let isNumber =
            !digits.isEmpty && digits.count >= word.count - 1 && digits.allSatisfy { $0.isASCII && $0.isNumber }
        if word == "!" || isNumber {
            found = history.entry(String(word))
        } else {
            guard rest.allSatisfy(\.isWhitespace), !Self.isHosts(word),
                let line = history.entries(startingWith: String(word)).first
            else { return nil }
            found = line
        }
        reference = String(word)
        self.rest = String(rest)
    }

    /// The line itself, with what was typed behind the reference.
    ///
    /// Throws `usage` when no line of the history was found.
    package func line() throws(ShaleError) -> String {
        guard let found else {
            throw ShaleError(.usage, "!\(reference): no such line in the history", hint: "history")
        }
        return found + rest
    }

    /// Whether the host's shell would know the word.
    private static func isHosts(_ word: Substring) -> Bool {
        guard !word.isEmpty, word.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
            return true
        }
        return builtins.contains(String(word)) || HostProgram.isOnPath(String(word))
    }

    private static let builtins: Set<String> = [
        "alias", "bg", "break", "cd", "command", "continue", "eval", "exec", "exit", "export", "fg", "getopts", "hash",
        "jobs", "local", "read", "readonly", "return", "set", "shift", "times", "trap", "type", "ulimit", "umask",
        "unalias", "unset", "wait",
    ]
}
