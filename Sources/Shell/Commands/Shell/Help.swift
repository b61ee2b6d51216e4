package import ArgumentParser
package import Basics

/// `help`: all commands in groups, or one with examples.
package struct Help: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "help", abstract: "List the commands, or explain one", aliases: ["?"])
    package static let isWorthKeeping = false
    package static let examples = ["help", "help build"]

    @Argument(help: "A command, or a Dockerfile instruction.") var command: String?
    @Argument(help: .hidden) var part: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let command else { return .text(HelpText.overview) }
        if Instruction.names.contains(command.uppercased()), command == command.uppercased() {
            return .text(HelpText.instructions)
        }
        guard let type = CommandTable.shared.find(command) else { throw CommandTable.shared.unknown(command) }
        guard let part else { return .text(HelpText.of(type)) }
        guard type == VolumeCommand.self, let type = VolumeCommand.find(part) else {
            throw CommandTable.shared.unknown("\(command) \(part)")
        }
        return .text(HelpText.of(type))
    }
}

/// The texts of `help`, made from the same descriptions that parse the options.
enum HelpText {
    /// Usage and options, up to three examples, and how it differs from docker's.
    static func of(_ type: any Verb.Type) -> String {
        var text = options(type)
        if !text.hasSuffix("\n") { text += "\n" }
        if !type.examples.isEmpty {
            text += "\nEXAMPLES:\n" + type.examples.prefix(3).map { "  \($0)\n" }.joined()
        }
        if !type.differences.isEmpty {
            text += "\nDIFFERENT FROM DOCKER:\n" + type.differences.map { "  \($0)\n" }.joined()
        }
        return text
    }

    private static func options<Command: Verb>(_ type: Command.Type) -> String { Command.helpMessage() }

    /// Every command in its group, a line each.
    static var overview: String {
        var text = "Type a command, a Dockerfile instruction in capitals, or !COMMAND for the host.\n"
        for group in CommandTable.shared.groups {
            text += "\n\(group.title)\n"
            for type in group.verbs where type.configuration.shouldDisplay {
                let name = type.verb
                text +=
                    "  \(name)\(String(repeating: " ", count: max(1, 12 - name.count)))\(type.configuration.abstract)\n"
            }
        }
        return text
            + "\n  quit        Leave\n\n'help COMMAND' says more; Tab completes; Ctrl-R searches what was typed.\n"
    }

    static let instructions = """
        A Dockerfile instruction typed by itself is a step on the working image, @:

          FROM busybox            begins a working image
          RUN touch /hello        each further instruction makes a layer and shows what it changed
          steps                   lists them; undo and redo go back and forth
          recipe                  prints the Dockerfile that makes @; recipe save DIR writes it with its files

        """
}
