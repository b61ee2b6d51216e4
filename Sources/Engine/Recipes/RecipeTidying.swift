import Dockerfiles

/// A recipe made shorter: what it makes stays the same, but for the package lists that are cleaned.
extension Recipe {
    /// Neighbouring `RUN`s joined, package lists cleaned in the `RUN` that fetched them, settings in a row made one.
    package var tidied: Recipe {
        var recipe = self
        var stages: [[Line]] = [[]]
        for line in lines {
            if case .instruction(let text) = line, text.hasPrefix("FROM ") { stages.append([]) }
            stages[stages.count - 1].append(line)
        }
        recipe.lines = stages.flatMap { StageTidying(lines: $0).tidied }
        return recipe
    }
}

private struct StageTidying {
    let lines: [Recipe.Line]

    var tidied: [Recipe.Line] {
        var result: [Recipe.Line] = []
        // The elements of the RUN being gathered, and what is said about them.
        var run: [String] = []
        var comments: [Recipe.Line] = []
        func flush() {
            result += comments
            if !run.isEmpty { result.append(.instruction(JoinedRun.text(run))) }
            (run, comments) = ([], [])
        }
        let lines = withCleanedLists(withoutSuperseded(lines))
        let hasOwnShell = lines.contains {
            if case .instruction(let text) = $0 { text.hasPrefix("SHELL ") } else { false }
        }
        for line in lines {
            switch line {
            case .comment: comments.append(line)
            case .instruction(let text):
                if !hasOwnShell, let element = JoinedRun.element(text) {
                    run.append(element)
                } else if let merged = result.last.flatMap({ run.isEmpty ? Self.merged($0, text) : nil }),
                    comments.isEmpty
                {
                    result[result.count - 1] = .instruction(merged)
                } else {
                    let own = run.isEmpty ? comments : []
                    if run.isEmpty { comments = [] }
                    flush()
                    result += own
                    result.append(line)
                }
            }
        }
        flush()
        return result
    }

    /// A `CMD` that a later one replaces says nothing.
    private func withoutSuperseded(_ lines: [Recipe.Line]) -> [Recipe.Line] {
        func keyword(_ line: Recipe.Line) -> Substring? {
            if case .instruction(let text) = line { text.prefix { $0 != " " } } else { nil }
        }
        guard !lines.contains(where: { keyword($0) == "ENTRYPOINT" }) else { return lines }
        let last = lines.lastIndex { keyword($0) == "CMD" }
        return lines.enumerated().filter { keyword($0.element) != "CMD" || $0.offset == last }.map(\.element)
    }

    /// Two instructions in a row as one of the same meaning; `nil` where there is none.
    private static func merged(_ line: Recipe.Line, _ text: String) -> String? {
        guard case .instruction(let before) = line, let first = try? Instruction.parse(line: before),
            let second = try? Instruction.parse(line: text)
        else { return nil }
        switch (first.value, second.value) {
        case (.env(let old), .env(let new)):
            // Within one instruction a variable still means what it meant before it.
            let refers = new.contains { pair in
                old.contains { pair.value.contains("$\($0.key)") || pair.value.contains("${\($0.key)") }
            }
            guard !refers, (old + new).allSatisfy({ !$0.isLegacy }) else { return nil }
            return Instruction.env(old + new).printed()
        case (.label(let old), .label(let new)):
            guard (old + new).allSatisfy({ !$0.isLegacy }) else { return nil }
            return Instruction.label(old + new).printed()
        case (.expose(let old), .expose(let new)):
            return Instruction.expose(old + new.filter { !old.contains($0) }).printed()
        case (.workdir(let old), .workdir(let new)):
            if old == new { return before }
            guard !new.hasPrefix("/"), !new.contains(".."), !(old + new).contains(where: { "$\"'\\ ".contains($0) })
            else {
                return nil
            }
            return "WORKDIR \(old.appendingPath(new))"
        case (.user, .user): return text
        default: return nil
        }
    }

    // MARK: Package lists

    private func withCleanedLists(_ lines: [Recipe.Line]) -> [Recipe.Line] {
        // What a later RUN installs without fetching the lists anew needs those that are there.
        var isNeeded: Set<PackageTool> = []
        var result: [Recipe.Line] = []
        for line in lines.reversed() {
            guard case .instruction(let text) = line, let element = JoinedRun.element(text) else {
                result.append(line)
                continue
            }
            var cleaned = element
            for tool in PackageTool.allCases where tool.isUsed(in: element) {
                if !isNeeded.contains(tool) { cleaned = tool.cleaned(cleaned) }
                if tool.fetchesLists(in: element) { isNeeded.remove(tool) } else { isNeeded.insert(tool) }
            }
            result.append(.instruction(cleaned == element ? text : "RUN \(cleaned)"))
        }
        return result.reversed()
    }
}

private enum PackageTool: CaseIterable {
    case apt, apk, yum, dnf

    func isUsed(in text: String) -> Bool {
        switch self {
        case .apt:
            text.contains("apt-get install") || text.contains("apt install") || text.contains("apt-get -y install")
                || text.contains("apt-get update") || text.contains("apt update")
        case .apk: text.contains("apk add") || text.contains("apk update")
        case .yum: text.contains("yum install") || text.contains("yum -y install")
        case .dnf: text.contains("dnf install") || text.contains("dnf -y install")
        }
    }

    func fetchesLists(in text: String) -> Bool {
        switch self {
        case .apt: text.contains("apt-get update") || text.contains("apt update")
        case .apk: text.contains("apk update") || text.contains("--no-cache") || text.contains("-U ")
        case .yum, .dnf: true
        }
    }

    func cleaned(_ text: String) -> String {
        let command =
            switch self {
            case .apt: "rm -rf /var/lib/apt/lists/*"
            case .apk: "rm -rf /var/cache/apk/*"
            case .yum: "yum clean all"
            case .dnf: "dnf clean all"
            }
        // A list that is only fetched here is for the RUNs behind it, which may be joined to this one.
        let isCleaned = text.contains(command) || (self == .apk && text.contains("--no-cache"))
        return isCleaned || text.hasSuffix("\\") || text.contains("#") ? text : "\(text) && \(command)"
    }
}

/// Several `RUN`s of the shell form as one.
enum JoinedRun {
    /// The command of a `RUN` that can be joined with others; `nil` for any other instruction.
    static func element(_ instruction: String) -> String? {
        guard instruction.hasPrefix("RUN "), !instruction.contains("\n"),
            let parsed = try? Instruction.parse(line: instruction), case .run(let run) = parsed.value,
            run.command.usesShell, run.heredocs.isEmpty, run.flagsUsed.isEmpty, let text = run.command.words.first,
            !text.contains("<<"), !text.hasSuffix("\\"), !text.hasPrefix("[")
        else { return nil }
        return Structure(text).canJoin ? text : nil
    }

    static func text(_ elements: [String]) -> String {
        guard elements.count > 1 else { return "RUN \(elements.first ?? "")" }
        let parts = elements.map { Structure($0).isSimple ? $0 : "( \($0) )" }
        return "RUN " + parts.joined(separator: " && \\\n    ")
    }

    /// What a shell text is made of, as far as joining it with another depends on that.
    private struct Structure {
        /// Whether it may stand in a subshell between two `&&` and mean the same.
        private(set) var canJoin = true
        /// Whether it may so without the subshell: commands and pipes joined by `&&`, none of which outlives itself in
        /// the shell's state.
        private(set) var isSimple = true

        init(_ text: String) {
            var scalars = Array(text)[...]
            var word = ""
            var isCommand = true
            var quote: Character?
            func end(_ structure: inout Structure, _ command: inout Bool, _ word: inout String) {
                guard !word.isEmpty else { return }
                if command {
                    if word.contains("=") || Self.keepsState.contains(word) { structure.isSimple = false }
                    // `set -e` means nothing on the left of `&&`.
                    if word == "set" || word == "trap" { structure.canJoin = false }
                }
                command = false
                word = ""
            }
            while let next = scalars.popFirst() {
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
                case "#" where word.isEmpty: canJoin = false
                case "&":
                    end(&self, &isCommand, &word)
                    if scalars.first == "&" {
                        scalars.removeFirst()
                        isCommand = true
                    } else if word.isEmpty, scalars.first != ">", !text.contains(">&"), !text.contains("<&") {
                        canJoin = false
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
            if quote != nil { canJoin = false }
        }

        private static let keepsState: Set<String> = [
            "cd", "export", "unset", "umask", "ulimit", "alias", "unalias", "exec", "exit", "eval", ".", "source",
            "readonly", "shift", "read", "if", "for", "while", "until", "case", "!", "return", "hash", "local", "time",
        ]
    }
}
