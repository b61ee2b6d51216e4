import ArgumentParser
import Basics

/// The manual page of a command, from the options that parse it.
enum VerbManual {
    /// What the page is called, and its file without the `.1`: `shale-volume-create`.
    static func name(of type: any Verb.Type) -> String {
        "shale-" + type.verb.split(separator: " ").joined(separator: "-")
    }

    static func page(of type: any Verb.Type, date: Timestamp) -> String {
        var page = ManualPage(name(of: type), date: date)
        let configuration = type.configuration
        page.section("NAME")
        page.prose("\(name(of: type)) - \(firstLetterSmall(configuration.abstract))")
        page.section("SYNOPSIS")
        page.lines(usage(of: type).map { "shale \($0)" })
        page.section("DESCRIPTION")
        let names = configuration.aliases.filter(isAWord)
        let also = names.isEmpty ? "" : "Also called: \(names.joined(separator: ", "))."
        page.prose([sentence(configuration.abstract), configuration.discussion, also].joined(separator: "\n\n"))
        addArguments(of: type, to: &page)
        if !type.subcommands.isEmpty {
            page.section("COMMANDS")
            for command in type.subcommands { page.item(command.verb, command.configuration.abstract) }
        }
        if !type.examples.isEmpty {
            page.section("EXAMPLES")
            page.block(type.examples)
        }
        if !type.differences.isEmpty {
            page.section("DIFFERENT FROM DOCKER")
            page.prose(type.differences.map(sentence).joined(separator: "\n\n"))
        }
        if !type.refusedFlags.isEmpty {
            page.section("REFUSED")
            page.prose("These options of docker's are known, and refused:")
            for (flag, reason) in type.refusedFlags.sorted(by: { $0.key < $1.key }) { page.item("--\(flag)", reason) }
        }
        page.section("SEE ALSO")
        page.lines([(["shale"] + type.subcommands.map(name)).map { "\($0)(1)" }.joined(separator: ", ")])
        return page.text
    }

    private static func addArguments(of type: any Verb.Type, to page: inout ManualPage) {
        let arguments = (ToolInfo(dump(type))?.command.arguments ?? []).filter { $0.shouldDisplay ?? true }
        for (title, isPositional) in [("OPERANDS", true), ("OPTIONS", false)] {
            let rows = arguments.filter { ($0.kind == "positional") == isPositional }
            guard !rows.isEmpty else { continue }
            page.section(title)
            for row in rows { page.item(typed(row), meaning(row)) }
        }
    }

    /// As it is typed: `-f, --filter FILTER`.
    private static func typed(_ argument: ToolInfo.Argument) -> String {
        let value = (argument.valueName ?? "value").uppercased()
        switch argument.kind {
        case "positional": return value
        case "option": return shortFirst(argument.dashedNames).joined(separator: ", ") + " \(value)"
        default: return shortFirst(argument.dashedNames).joined(separator: ", ")
        }
    }

    private static func shortFirst(_ names: [String]) -> [String] {
        names.filter { !$0.hasPrefix("--") } + names.filter { $0.hasPrefix("--") }
    }

    private static func meaning(_ argument: ToolInfo.Argument) -> String {
        var text = sentence(argument.abstract ?? "")
        if let words = argument.allValues, !words.isEmpty { text += " One of: \(words.joined(separator: ", "))." }
        if argument.isRepeating ?? false, argument.kind == "option" { text += " May be given more than once." }
        return text
    }

    /// The usage lines, without the word USAGE.
    private static func usage(of type: any Verb.Type) -> [String] {
        func usage<Command: Verb>(_ type: Command.Type) -> String { Command.usageString() }
        return usage(type).split(separator: "\n").map { line in
            let text = line.hasPrefix("Usage: ") ? line.dropFirst("Usage: ".count) : line
            return String(text.drop { $0 == " " })
        }
    }

    private static func dump(_ type: any Verb.Type) -> String {
        func dump<Command: Verb>(_ type: Command.Type) -> String { Command._dumpHelp() }
        return dump(type)
    }

    /// Letters and digits: `?` is no word for an index.
    private static func isAWord(_ name: String) -> Bool { name.first?.isLetter ?? false }

    static func sentence(_ text: String) -> String {
        guard let last = text.last, !".:!?\n".contains(last) else { return text }
        return text + "."
    }

    /// The abstract as it stands behind a name, where no sentence begins.
    static func firstLetterSmall(_ text: String) -> String {
        let second = text.dropFirst().first
        guard let first = text.first, second.map({ !$0.isUppercase }) ?? true else { return text }
        return first.lowercased() + text.dropFirst()
    }
}
