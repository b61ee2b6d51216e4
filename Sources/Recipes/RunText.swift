import Basics
import Dockerfiles
import Images
import OCI

/// The text of a command in a `RUN` instruction.
enum RunText {
    /// A shell command as the text after `RUN `: unchanged when one line can hold it, else in exec form.
    static func line(of text: String, shell: [String]) -> String {
        var trimmed = text
        while trimmed.unicodeScalars.last == "\n" { trimmed.unicodeScalars.removeLast() }
        let isOneLine = trimmed.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
        let isItself =
            isOneLine && !trimmed.isEmpty && !trimmed.hasPrefix("[") && !trimmed.hasPrefix("-")
            && !trimmed.hasPrefix("#") && !trimmed.hasSuffix("\\") && !trimmed.contains("<<")
            && trimmed.first != " " && trimmed.last != " "
        return isItself ? trimmed : ConfigInstructions.array(shell + [text])
    }

    /// An argument vector as the text after `RUN `.
    ///
    /// `prefix` is shell text before the command (`cd`, variables). Returns `nil` when a shell is needed and there is
    /// none.
    static func line(of arguments: [String], prefix: String = "", assignments: [String] = [], shell: [String]?)
        -> String?
    {
        guard let shell else {
            return prefix.isEmpty && assignments.isEmpty ? ConfigInstructions.array(arguments) : nil
        }
        if shell == ["/bin/sh", "-c"], arguments.count == 3, ["sh", "/bin/sh"].contains(arguments[0]),
            arguments[1] == "-c"
        {
            let exported = assignments.isEmpty ? "" : "export \(assignments.joined(separator: " ")); "
            return line(of: prefix + exported + arguments[2], shell: shell)
        }
        let isPlain = arguments.allSatisfy { $0.isPlainShellWord } && !(arguments.first?.isShellWord ?? true)
        guard isPlain || !prefix.isEmpty || !assignments.isEmpty else { return ConfigInstructions.array(arguments) }
        guard isPlain || !(arguments.first?.isShellWord ?? true) else { return nil }
        let words = assignments + arguments.map(\.shellQuoted)
        return line(of: prefix + words.joined(separator: " "), shell: shell)
    }
}

extension String {
    /// Whether a shell treats the text as a keyword, a builtin command or an assignment at the start of a command.
    fileprivate var isShellWord: Bool {
        contains("=")
            || [
                "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", ".",
                ":", "time", "exec", "exit", "cd", "export", "set", "unset", "trap", "eval", "source", "return",
                "wait", "umask", "ulimit", "readonly", "shift", "times", "break", "continue", "alias", "command",
                "hash", "type", "local", "function", "let", "read", "jobs", "fg", "bg", "getopts",
            ].contains(self)
    }
}
