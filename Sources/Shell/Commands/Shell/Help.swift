package import ArgumentParser
package import Basics
import Rendering
import ShellLanguage

/// `help`: all commands in groups, or one with examples.
package struct Help: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "help", abstract: "List the commands, or explain one", aliases: ["?"])
    package static let operandKinds: [ValueKind] = [.topic, .none]
    package static let isWorthKeeping = false
    package static let isAboutLines = true
    package static let asksOnlyTheProgram = true
    package static let examples = ["help", "help build", "help language"]

    @Argument(help: "A command, a Dockerfile instruction, or language: how a line is read.") var command: String?
    @Argument(help: .hidden) var part: String?

    package init() {}

    /// Topics of `help` that are no commands.
    static let languageTopic = "language"
    static let keysTopic = "keys"

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let command else { return .text(HelpText.overview) }
        if StepKeyword.names.contains(command.uppercased()), command == command.uppercased() {
            return .text(HelpText.instructions)
        }
        if command == Self.languageTopic { return .text(HelpText.language) }
        if command == Self.keysTopic { return .text(HelpText.keys) }
        guard let type = CommandTable.shared.find(command) else { throw Self.unknown(command) }
        // Where the second words are no commands of their own, the first one's help tells them.
        guard let part, !type.subcommands.isEmpty else { return .text(HelpText.of(type, secondWord: part)) }
        guard let type = type.subcommand(part) else {
            let near = Suggestion.nearest(to: part, among: type.secondWords.map(\.word)).first
            throw ShaleError(
                .usage, "unknown command: \(command) \(part.visible)",
                hint: near.map { "help \(command) \($0)" } ?? "help \(command)")
        }
        return .text(HelpText.of(type))
    }
}

extension Help {
    /// The error for what there is no help on, with the nearest that there is some on.
    private static func unknown(_ word: String) -> ShaleError {
        let known = CommandTable.shared.words.union(StepKeyword.names).union([languageTopic, keysTopic])
        let near = Suggestion.nearest(to: word, among: known.sorted()).first
        return ShaleError(
            .usage, "unknown command: \(word.visible)", hint: near.map { "help \($0)" } ?? "help")
    }
}

/// The texts of `help`, made from the same descriptions that parse the options.
enum HelpText {
    /// Usage and options, up to three examples, and how it differs from docker's.
    ///
    /// The examples are those with a second word, where there are some.
    static func of(_ type: any Verb.Type, secondWord: String? = nil) -> String {
        var text = options(type)
        if !text.hasSuffix("\n") { text += "\n" }
        let own = secondWord.map { word in type.examples.filter { $0.hasPrefix("\(type.verb) \(word)") } } ?? []
        let examples = own.isEmpty ? type.examples : own
        if !examples.isEmpty {
            text += "\nEXAMPLES:\n" + examples.prefix(3).map { "  \($0)\n" }.joined()
        }
        if !type.differences.isEmpty {
            text += "\nDIFFERENT FROM DOCKER:\n" + type.differences.map { "  \($0)\n" }.joined()
        }
        return text
    }

    /// On fewer columns the parser's own column of descriptions has no room, and it would end the process.
    private static let fewestColumns = 60

    private static func options<Command: Verb>(_ type: Command.Type) -> String {
        let console = Console()
        let columns = console.environment["COLUMNS"].flatMap { Int($0) } ?? console.width ?? 80
        return Command.helpMessage(columns: max(fewestColumns, columns))
    }

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
            + "\n'help COMMAND' says more, 'help language' how a line is read, 'help keys' what the keys do; Tab\n"
            + "completes; Ctrl-R searches what was typed.\n"
    }

    static let language = """
        How a line is read:

          a; b && c || d        one after the other; c where b succeeded; d where that failed
          'a b'  "a $x"  a\\ b   quotes as in sh; # begins a comment; \\ at the end, <<EOF and open quotes go on
          $x ${x} $? $_         a variable of shale's, else of the host's environment; $_ is what was made last
          x = images -q app     keeps what a command prints; x = VALUE a word; unset x forgets it
          $(ps -q)  `ps -q`     what a command of shale's prints, else one of the host's; '…' keeps both as they are
          a | cmd > f < f       the host's: pipes and files
          !cmd  !               a command of the host's; a shell of the host's
          !! !12 !-2 !run       an earlier line again; history lists them
          RUN touch /x          an instruction in capitals is a step on the working image
          $ docker ps           a line of a tutorial: the sign, sudo, docker and podman are left out

        A line behind a prompt sign ($, 1 $, user@host:~$) that begins with no command of shale's is the host's:
        $ chmod +x hello.sh. Of a pasted block with prompt signs only the lines with one run, and what they go on with:
        they are shown, and Enter runs them. A block without any runs line by line. Where the terminal does not mark what is pasted, all that comes without
        a pause behind a line with a sign is one block.

        There are no background jobs, loops or functions: run -d, !sh, or a script of the host's.

        """

    static let keys = """
        Keys at the prompt, in emacs mode and in vi mode:

          Tab               completes; a second Tab lists what there is
          Right, Ctrl-F,    at the end of the line: take the dim suggestion, which
          Ctrl-E, End       is an earlier line that begins so
          Alt-F, Ctrl-Right to the next word, or take one word of the suggestion
          Up, Down          earlier and later lines that begin as the one typed
          Ctrl-R, Ctrl-S    search what was typed, back and forth
          Alt-.             the last word of the line before
          Ctrl-X Ctrl-E     the line in $EDITOR
          F1                help on the command
          Ctrl-C            drops the line, or stops the command
          Ctrl-D            on an empty line: leaves

        ~/.editrc can bind others; bind -v in it is vi mode. set prompt changes the
        prompt: {session}, {status}, {image} and {place} are filled in.

        """

    static let instructions = """
        A Dockerfile instruction typed by itself is a step on the working image, @:

          FROM busybox            begins a working image
          RUN touch /hello        each further instruction makes a layer and shows what it changed
          steps                   lists them; undo and redo go back and forth
          recipe                  prints the Dockerfile that makes @; recipe save DIR writes it with its files

        """
}
