import Basics

extension Instruction {
    /// The instruction as canonical Dockerfile text, without a line ending at its end; reading it gives it back.
    ///
    /// A command text that no line can hold (line breaks, a `<<` of its own, what looks like JSON) becomes an exec form
    /// that calls `shell`: the same command, spelled so that every builder reads it.
    package func printed(escape: Unicode.Scalar = "\\", shell: [String] = ["/bin/sh", "-c"]) -> String {
        let printer = InstructionPrinter(escape: escape, shell: shell)
        return printer.wrapped(printer.print(self))
    }
}

extension KeyValue {
    /// A pair that means exactly `value`, nothing in it a variable or a quote.
    ///
    /// `nil` where `value` has line breaks, which no Dockerfile can say.
    package init?(key: String, literal value: String, escape: Unicode.Scalar = "\\") {
        guard let quoted = InstructionPrinter.quoted(value, escape: escape) else { return nil }
        self.init(key: key, value: quoted)
    }
}

/// Instructions to text.
struct InstructionPrinter {
    /// Lines are broken before they reach the longest that docker reads.
    private static let lineLength = 60_000

    let escape: Unicode.Scalar
    let shell: [String]

    /// A word that expands to exactly `literal`, or `nil` where there is none.
    static func quoted(_ literal: String, escape: Unicode.Scalar) -> String? {
        if literal.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\r" }) { return nil }
        return DockerfileWord.quoted(literal, escape: escape)
    }

    func print(_ instruction: Instruction) -> String {
        let keyword = instruction.keyword
        switch instruction {
        case .from(let from):
            let name = from.stageName.map { " AS \($0)" } ?? ""
            return join(keyword, flag("platform", from.platform), from.baseName) + name
        case .run(let run): return print(run)
        case .copy(let copy):
            let flags = [flag("from", copy.from), toggle("parents", copy.parents ? true : nil)]
            return print(keyword, copy.files, flags: flags)
        case .add(let add):
            let flags = [
                toggle("keep-git-dir", add.keepGitDir), flag("checksum", add.checksum), toggle("unpack", add.unpack),
            ]
            return print(keyword, add.files, flags: flags)
        case .env(let pairs), .label(let pairs): return print(keyword, pairs)
        case .arg(let arg):
            return join(keyword, arg.arguments.map { $0.key + ($0.value.map { "=\($0)" } ?? "") })
        case .workdir(let text), .user(let text), .stopsignal(let text), .maintainer(let text):
            return join(keyword, text.hasPrefix("--") ? "-- \(text)" : text)
        case .cmd(let line), .entrypoint(let line): return join(keyword, print(line))
        case .expose(let ports): return join(keyword, ports)
        case .volume(let volumes): return join(keyword, list(volumes))
        case .shell(let words): return join(keyword, json(words))
        case .healthcheck(let check): return print(check)
        case .onbuild(let trigger): return join(keyword, trigger)
        }
    }

    // MARK: Pieces

    private func join(_ parts: String...) -> String { join(parts) }

    private func join(_ keyword: String, _ parts: [String]) -> String { join([keyword] + parts) }

    private func join(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }

    private func json(_ words: [String]) -> String { "[" + words.map(jsonQuoted).joined(separator: ", ") + "]" }

    /// `--name=value`, escaped where the flag would end early; nothing for `nil`.
    private func flag(_ name: String, _ value: String?) -> String {
        guard let value else { return "" }
        var text: Scalars = []
        for scalar in value.unicodeScalars {
            if scalar.isSpace || scalar == "'" || scalar == "\"" || scalar == escape { text.append(escape) }
            text.append(scalar)
        }
        return "--\(name)=\(String(text))"
    }

    private func toggle(_ name: String, _ value: Bool?) -> String {
        value.map { $0 ? "--\(name)" : "--\(name)=false" } ?? ""
    }

    /// Words in a row, or as JSON where a row would be read otherwise.
    private func list(_ words: [String]) -> String {
        let isPlain = words.allSatisfy { word in
            !word.isEmpty && !word.unicodeScalars.contains { $0.isSpace }
        }
        guard isPlain, let first = words.first, !first.hasPrefix("["), !first.hasPrefix("--") else {
            return json(words)
        }
        return words.joined(separator: " ")
    }

    // MARK: Instructions

    private func print(_ keyword: String, _ pairs: [KeyValue]) -> String {
        // The old form holds one pair only, and is kept: its value follows other rules for spaces.
        if let pair = pairs.first, pairs.count == 1, pair.isLegacy { return join(keyword, pair.key, pair.value) }
        return join(keyword, pairs.map { "\($0.key)=\($0.value)" })
    }

    private func print(_ line: CommandLine) -> String {
        guard line.usesShell else { return json(line.words) }
        let text = line.words.joined(separator: " ").trimmed
        return isOneLine(text) ? (text.hasPrefix("--") ? "-- \(text)" : text) : json(shell + [text])
    }

    /// Whether a command text can stand on a line and be read as that text.
    private func isOneLine(_ text: String) -> Bool {
        let scalars = Array(text.unicodeScalars)
        if scalars.contains("\n") || scalars.last == escape { return false }
        // Any JSON array is an exec form, or an error.
        return scalars.first != "[" || JSONDocument(scalars) == nil
    }

    private func print(_ run: RunInstruction) -> String {
        let flags =
            run.mounts.map { flag("mount", $0) }
            + [
                flag("network", run.flagsUsed.contains("network") ? run.network : nil),
                flag("security", run.flagsUsed.contains("security") ? run.security : nil),
            ] + run.devices.map { flag("device", $0) }
        guard run.heredocs.isEmpty else {
            let line = join("RUN", flags + run.command.words)
            return run.heredocs.reduce(line) { "\($0)\n\($1.content)\($1.name)" }
        }
        let announces =
            run.command.usesShell
            && (try? HeredocWord.all(in: Array(run.command.words.joined().unicodeScalars)))?.isEmpty == false
        return join("RUN", flags + [announces ? json(shell + run.command.words) : print(run.command)])
    }

    private func print(_ keyword: String, _ files: FileSources, flags: [String]) -> String {
        let all =
            flags + [
                flag("chown", files.owner), flag("chmod", files.mode), toggle("link", files.link ? true : nil),
            ] + files.excluding.map { flag("exclude", $0) }
        guard !files.inline.isEmpty else { return join(keyword, all + [list(files.paths + [files.destination])]) }
        let names = files.inline.map { "<<" + ($0.expand ? $0.name : "'\($0.name)'") }
        let line = join(keyword, all + files.paths + names + [files.destination])
        return files.inline.reduce(line) { text, file in
            let end = file.content.isEmpty || file.content.hasSuffix("\n") ? "" : "\n"
            return "\(text)\n\(file.content)\(end)\(file.name)"
        }
    }

    private func print(_ check: HealthCheck) -> String {
        guard let kind = check.test.first, kind != "NONE" else { return "HEALTHCHECK NONE" }
        func time(_ name: String, _ nanoseconds: Int64) -> String {
            flag(name, nanoseconds == 0 ? nil : GoDuration.text(nanoseconds))
        }
        let flags = [
            time("interval", check.interval), time("timeout", check.timeout), time("start-period", check.startPeriod),
            time("start-interval", check.startInterval), flag("retries", check.retries == 0 ? nil : "\(check.retries)"),
        ]
        let words = Array(check.test.dropFirst())
        let command = CommandLine(words: words, usesShell: kind == "CMD-SHELL")
        return join("HEALTHCHECK", flags + ["CMD", print(command)])
    }

    // MARK: Long lines

    /// The text with its first line broken so that docker reads it; heredocs are left alone.
    func wrapped(_ text: String) -> String {
        guard text.utf8.count > Self.lineLength else { return text }
        let (line, rest) = text.cut(at: "\n")
        let scalars = Array(line.unicodeScalars)
        var broken = String.UnicodeScalarView()
        var length = 0
        for (index, scalar) in scalars.enumerated() {
            // A line may be broken anywhere but behind an escape character, and before what would make it a comment or
            // an empty line.
            if length >= Self.lineLength, scalars[index - 1] != escape, scalar != "#", !scalar.isSpace {
                broken.append(contentsOf: [escape, "\n"])
                length = 0
            }
            broken.append(scalar)
            length += UTF8.width(scalar)
        }
        return rest.map { "\(String(broken))\n\($0)" } ?? String(broken)
    }
}
