import Dockerfiles

/// Joins several `RUN`s of the shell form into one.
enum JoinedRun {
    /// Why a `RUN` cannot be joined with others.
    struct Obstacle: Error {
        let words: String
        init(_ words: String) { self.words = words }
    }

    /// The command of a `RUN` that can be joined with others, or the reason why it cannot.
    static func element(_ instruction: String) -> Result<String, Obstacle> {
        guard let parsed = try? Instruction.parse(line: instruction), case .run(let run) = parsed.value,
            let text = run.command.words.first
        else { return .failure(Obstacle("it is no RUN that can be read")) }
        if !run.command.usesShell { return .failure(Obstacle("a command in JSON form stands alone")) }
        if !run.flagsUsed.isEmpty { return .failure(Obstacle("one of them has flags of its own")) }
        if !run.heredocs.isEmpty || text.contains("<<") { return .failure(Obstacle("one of them has a here-document")) }
        if instruction.utf8.contains(UInt8(ascii: "\n")) {
            return .failure(Obstacle("one of them stands on several lines"))
        }
        if text.hasSuffix("\\") || text.hasPrefix("[") {
            return .failure(Obstacle("one of them would be read otherwise behind another"))
        }
        return Structure(text).obstacle.map { .failure(Obstacle($0)) } ?? .success(text)
    }

    /// A file or device named in the text whose content is lost when the `RUN` ends, because each `RUN` gets a new one.
    static func passing(in text: String) -> String? {
        for file in ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"] where text.contains(file) { return file }
        var rest = Substring(text)
        while let range = rest.firstRange(of: "/dev/") {
            rest = rest[range.upperBound...]
            let name = rest.prefix { $0.isLetter || $0.isNumber }
            if !lasting.contains(String(name)) { return "/dev/\(name)" }
        }
        return nil
    }

    /// Devices that do not store data.
    private static let lasting: Set<String> = [
        "null", "zero", "full", "random", "urandom", "stdin", "stdout", "stderr", "fd", "tty",
    ]

    static func text(_ elements: [String]) -> String {
        guard elements.count > 1 else { return "RUN \(elements.first ?? "")" }
        let parts = elements.map { Structure($0).isSimple ? $0 : "( \($0) )" }
        return "RUN " + parts.joined(separator: " && \\\n    ")
    }

    /// The structure of a shell command, as far as joining it with another depends on it.
    private struct Structure {
        /// Why the command would mean something else in a subshell between two `&&`; `nil` when it would not.
        private(set) var obstacle: String?
        /// Whether the command can be joined without a subshell: it consists of commands and pipes joined by `&&`, and
        /// none of
        /// them changes the state of the shell.
        private(set) var isSimple = true

        init(_ text: String) {
            var scalars = Array(text)[...]
            var word = ""
            var isCommand = true
            var quote: Character?
            var last: Character?
            func end(_ structure: inout Structure, _ command: inout Bool, _ word: inout String) {
                guard !word.isEmpty else { return }
                if command {
                    if word.contains("=") || Self.keepsState.contains(word) { structure.isSimple = false }
                    // `set -e` has no effect on the left side of `&&`.
                    if word == "set" || word == "trap" { structure.obstacle = "one of them has a \(word)" }
                }
                command = false
                word = ""
            }
            while let next = scalars.popFirst() {
                let before = last
                last = next
                if let open = quote {
                    if next == "\\", open == "\"" { _ = scalars.popFirst() }
                    if next == open { quote = nil }
                    word.append(next)
                    continue
                }
                switch next {
                case "'", "\"":
                    quote = next
                    word.append("q")
                case "\\":
                    word.append(next)
                    if let escaped = scalars.popFirst() { word.append(escaped) }
                case " ", "\t": end(&self, &isCommand, &word)
                case "#" where word.isEmpty: obstacle = "one of them ends with a comment"
                case "&":
                    // `2>&1` and `<&3` are redirections.
                    if before == ">" || before == "<" {
                        word.append(next)
                        break
                    }
                    end(&self, &isCommand, &word)
                    if scalars.first == "&" {
                        scalars.removeFirst()
                        isCommand = true
                    } else if scalars.first != ">" {
                        obstacle = "one of them leaves something running"
                    }
                case "|":
                    end(&self, &isCommand, &word)
                    if scalars.first == "|" { isSimple = false }
                    isCommand = true
                case ";", "(", ")", "{", "}", "`":
                    end(&self, &isCommand, &word)
                    isSimple = false
                    isCommand = true
                default: word.append(next)
                }
            }
            end(&self, &isCommand, &word)
            if quote != nil { obstacle = "one of them has an open quote" }
        }

        private static let keepsState: Set<String> = [
            "cd", "export", "unset", "umask", "ulimit", "alias", "unalias", "exec", "exit", "eval", ".", "source",
            "readonly", "shift", "read", "if", "for", "while", "until", "case", "!", "return", "hash", "local", "time",
        ]
    }
}
