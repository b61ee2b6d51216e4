import ArgumentParser
import Diagnostics

/// The commands as the completion scripts of the host's shells list them: names, flags, and the kinds of values.
struct CompletionTable {
    struct Row {
        var names: [String]
        var summary: String
        var flags: [CommandModel.Flag]
        /// A kind for each operand, the last one for all that follow.
        var operands: [String]
    }

    let rows: [Row]

    /// The options before the command that take a value, and the kind of it.
    static let globalValues: KeyValuePairs<String, String> = [
        "--home": "host.directory", "--session": "session", "-S": "session", "--log-level": levels, "-l": levels,
    ]
    private static let levels = "=\(LogLevel.allCases.map(\.rawValue).joined(separator: ","))"
    static let globalSwitches = ["--offline", "--no-rc", "--keep-going", "--debug", "--version", "--help"]

    init() {
        rows = CommandTable.shared.verbs.filter { $0.configuration.shouldDisplay }.map { type in
            let verb = Self.verb(type)
            let description = verb.describe()
            let operands = description.operands.map { Self.kind(of: $0.value) }
            return Row(
                names: [verb.name] + verb.aliases, summary: verb.summary, flags: description.flags,
                operands: operands)
        }
    }

    private static func verb<Command: Verb>(_ type: Command.Type) -> CommandModel.Verb { .init(type) }

    /// `image`, or `=always,missing,never` where all there is is known.
    static func kind(of value: CommandModel.Value) -> String {
        value.words.isEmpty ? value.kind.rawValue : "=" + value.words.joined(separator: ",")
    }

    /// A text between single quotes, as every shell of the three reads it when it holds none itself.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "’").replacing("\\", with: "/").replacing("\n", with: " ") + "'"
    }

    /// What every script of a shell has, whatever the commands: a file of `Resources`.
    static func functions(_ file: [UInt8]) -> String { "\n" + String(decoding: file, as: UTF8.self) }

    static func header(_ shell: String, install: String) -> String {
        """
        # Completion of shale for \(shell). \(install)
        # Made by `shale completions \(shell)` from the command table; scripts/completions writes it anew.

        """
    }
}
