import Basics

/// What a tutorial has in front of its commands: a prompt, with or without the number of a terminal.
enum PastedPrompt {
    /// How many scalars to pass: `$ `, `1 $ `, `user@host:~$ `, shale's own `shale> `, and at the prompt `# ` before
    /// `docker` or `podman`.
    ///
    /// A prompt of root's, `# ` and `root@host:/# `, is only one before a tool's name: any other `#` starts a comment,
    /// and a container's own prompt looks the same.
    static func length(in scanner: LineScanner, origin: LineParser.Origin) -> Int {
        var offset = 0
        if scanner.peek(0)?.isDigit ?? false {
            while scanner.peek(offset)?.isDigit ?? false { offset += 1 }
            guard scanner.peek(offset) == " " else { return 0 }
            offset += 1
        }
        if scanner.peek(offset) == "$", scanner.peek(offset + 1)?.isBlank ?? false { return offset + 2 }
        if let own = ownPrompt(scanner) { return own }
        guard origin == .prompt, offset == 0 else { return 0 }
        return hostPrompt(scanner) ?? rootPrompt(scanner) ?? 0
    }

    /// shale's own (``PromptSign``); the blank behind it may be missing at a line's end.
    private static func ownPrompt(_ scanner: LineScanner) -> Int? {
        var end = 0
        while let scalar = scanner.peek(end), scalar != "\n" { end += 1 }
        let line = scanner.text(scanner.position..<scanner.position + end)
        return PromptSign.length(in: line + " ").map { min($0, end) }
    }

    /// `user@host:~/dir$ ` or `root@host:/# docker …`.
    private static func hostPrompt(_ scanner: LineScanner) -> Int? {
        var offset = 0
        var at: Int?
        while let scalar = scanner.peek(offset), !scalar.endsWord, scalar != "'", scalar != "\"" {
            if scalar == "@", offset > 0 { at = offset }
            if scalar == "$" || scalar == "#", let at, scanner.peek(offset + 1)?.isBlank ?? false {
                let host = scanner.position + at + 1..<scanner.position + offset
                let isOfContainer = isContainer(scanner.text(host))
                return (scalar == "$" && !isOfContainer) || isTool(scanner, after: offset + 2) ? offset + 2 : nil
            }
            offset += 1
        }
        return nil
    }

    /// Whether `9c06b95e3e85:/app` is what a container's shell calls its host.
    private static func isContainer(_ text: String) -> Bool {
        let host = text.prefix { $0 != ":" }
        return host.utf8.count == 12 && host.hasOnlyLowercaseHexDigits
    }

    private static func rootPrompt(_ scanner: LineScanner) -> Int? {
        guard scanner.peek(0) == "#", scanner.peek(1) == " " else { return nil }
        return isTool(scanner, after: 2) ? 2 : nil
    }

    private static func isTool(_ scanner: LineScanner, after offset: Int) -> Bool {
        var rest = scanner
        rest.position += offset
        _ = rest.skip("sudo ")
        return Spelling.tools.contains { rest.starts(with: $0 + " ") }
    }
}

/// Backslash commands of psql for which shale has a verb.
enum MetaCommand {
    private static let words: [Unicode.Scalar: String] = [
        "?": "help", "q": "quit", "i": "source", "s": "history", "x": "tall",
    ]

    /// The verb that `\x` at the start of a statement stands for.
    static func word(in scanner: LineScanner) -> String? {
        guard scanner.current == "\\", let letter = scanner.peek(1), scanner.peek(2).map({ $0.endsWord }) ?? true
        else { return nil }
        return words[letter]
    }
}

/// How other tools name what shale's verbs do.
package struct Spelling: Sendable {
    /// Docker's management commands: noun, then verb, to the words of ours.
    package let nouns: [String: [String: [String]]]

    package init(nouns: [String: [String: [String]]] = [:]) { self.nouns = nouns }

    /// Programs whose commands are ours.
    package static let tools: Set<String> = ["docker", "podman", "nerdctl"]

    /// Words of a tool's own, dropped together with it.
    private static let sudoFlags: Set<String> = ["-E", "-H", "-n", "-S", "--"]

    /// Takes `sudo` and a tool's name off, and turns docker's noun-verb spellings into our verbs.
    ///
    /// What is set for a tool in front of it (`DOCKER_BUILDKIT=1 docker build`) is for docker's own program.
    /// - Returns: What was dropped, in order.
    package func normalise(_ words: inout [Word]) -> [String] {
        var dropped: [String] = []
        let settings = words.prefix { $0.isSetting }
        if !settings.isEmpty, words.dropFirst(settings.count).first?.plain.map(Self.tools.contains) ?? false {
            dropped += settings.map(\.source)
            words.removeFirst(settings.count)
        }
        if words.first?.plain == "sudo" {
            dropped.append("sudo")
            words.removeFirst()
            while let flag = words.first?.plain, Self.sudoFlags.contains(flag) { words.removeFirst() }
        }
        if let tool = words.first?.plain, Self.tools.contains(tool) {
            dropped.append(tool)
            words.removeFirst()
            dropped += Self.dropLogOptions(&words)
            Self.nameGlobalOption(&words)
        }
        nounVerb(&words)
        return dropped
    }

    /// Whether these first words of a command are one of shale's, `sudo` and a tool's name in front or not.
    func isCommand(_ words: [Word], commands: Set<String>) -> Bool {
        var words = words
        if normalise(&words).contains(where: Self.tools.contains) { return true }
        guard let word = words.first?.plain else { return false }
        return nouns[word] != nil || commands.contains(word)
    }

    /// Takes docker's options about its own log off: `-D`, `-l LEVEL`.
    private static func dropLogOptions(_ words: inout [Word]) -> [String] {
        var dropped: [String] = []
        while let word = words.first?.plain {
            let count: Int
            switch word {
            case "-D", "--debug": count = 1
            case "-l", "--log-level": count = 2
            case _ where word.hasPrefix("--log-level=") || word.hasPrefix("-l="): count = 1
            default: return dropped
            }
            dropped += words.prefix(count).map(\.source)
            words.removeFirst(min(count, words.count))
        }
        return dropped
    }

    /// `docker` alone and `docker --version` are commands of ours by another name.
    private static func nameGlobalOption(_ words: inout [Word]) {
        switch words.first?.plain {
        case nil where words.isEmpty, "--help", "-h": replace(&words, count: min(1, words.count), with: ["help"])
        case "--version", "-v": replace(&words, count: 1, with: ["version"])
        default: return
        }
    }

    private func nounVerb(_ words: inout [Word]) {
        guard words.count > 1, let noun = words[0].plain, let verb = words[1].plain,
            let verbs = nouns[noun], let ours = verbs[verb]
        else { return }
        Self.replace(&words, count: 2, with: ours)
    }

    private static func replace(_ words: inout [Word], count: Int, with texts: [String]) {
        words.replaceSubrange(0..<count, with: texts.map { Word($0) })
    }
}
