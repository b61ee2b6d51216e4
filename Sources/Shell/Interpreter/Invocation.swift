import ArgumentParser
import Basics

extension Verb {
    /// Parses the words behind the verb by its own options, then carries it out.
    static func invoke(_ arguments: [String], in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let word = arguments.first, let type = subcommand(word) {
            return try type.invoke(Array(arguments.dropFirst()), in: shell)
        }
        if arguments == ["--help"] || arguments == ["-h"] { return .text(HelpText.of(Self.self)) }
        var command: Self
        do {
            command = try options(arguments)
        } catch {
            if exitCode(for: error) == .success { return .text(HelpText.of(Self.self)) }
            throw wrongUsage(message(for: error), arguments)
        }
        return try command.perform(in: shell)
    }

    /// The command that the words behind the verb spell, not carried out.
    ///
    /// Throws `usage` for words that are none of its options, and `unsupported` for flags it refuses by name.
    static func parsed(_ arguments: [String]) throws(ShaleError) -> Self {
        do {
            return try options(arguments)
        } catch {
            throw wrongUsage(message(for: error), arguments)
        }
    }

    private static func options(_ arguments: [String]) throws -> Self {
        try Observer.measure(.shell, "options of \(verb)") {
            try parse(SpelledFlags.normalised(arguments, for: Self.self))
        }
    }

    private static func wrongUsage(_ message: String, _ arguments: [String]) -> ShaleError {
        // The message of the parser may end with usage lines; they are cut off, because `help` shows them.
        let first = message.split(separator: "\n").first.map(String.init) ?? "wrong usage"
        let text = first.hasPrefix("Error: ") ? String(first.dropFirst(7)) : first
        if text.hasPrefix("Missing expected argument"), let needed = neededArguments {
            return ShaleError(
                .usage, "'\(verb)' requires at least \(needed) argument\(needed == 1 ? "" : "s")", hint: "help \(verb)")
        }
        guard let flag = unknownFlag(in: text) else {
            // The first of too many words may be a second word with a slip in it.
            return ShaleError(.usage, "\(verb): \(text)", hint: hint(forSecondWord: arguments.first ?? ""))
        }
        let isShort = !flag.hasPrefix("--")
        if !isShort, let reason = refusedFlags[String(flag.dropFirst(2).prefix { $0 != "=" })] {
            return ShaleError(.unsupported, "\(verb): \(flag.visible) is not supported: \(reason)")
        }
        let words =
            isShort ? "unknown shorthand flag: '\(flag.dropFirst().prefix(1))' in \(flag)" : "unknown flag: \(flag)"
        let near = isShort ? nil : Suggestion.nearest(to: flag, among: CommandTable.flags(of: Self.self)).first
        return ShaleError(.usage, "\(verb): \(words.visible)", hint: near.map { "\(verb) \($0)" } ?? "help \(verb)")
    }

    /// How many words its usage line has that are not in brackets; `nil` for none.
    private static var neededArguments: Int? {
        var (count, depth) = (0, 0)
        // Of a command that has several forms, the first line is its own.
        let usage = configuration.usage?.split(separator: "\n").first
        for word in usage?.split(separator: " ").dropFirst(verb.split(separator: " ").count) ?? [] {
            if depth == 0, !word.hasPrefix("[") { count += 1 }
            for character in word { depth += character == "[" ? 1 : character == "]" ? -1 : 0 }
        }
        return count == 0 ? nil : count
    }

    /// The flag that the parser's "Unknown option '--fo'" speaks of.
    private static func unknownFlag(in text: String) -> String? {
        guard text.hasPrefix("Unknown option '") else { return nil }
        let flag = text.dropFirst("Unknown option '".count).prefix { $0 != "'" }
        return flag.isEmpty ? nil : String(flag)
    }
}
