import ArgumentParser
import Basics

/// One call of a command: its words parsed by its own options, then carried out.
struct Invocation {
    private let type: any Verb.Type
    private let arguments: [String]
    private let shell: ShellContext

    init(_ type: any Verb.Type, arguments: [String], shell: ShellContext) {
        self.type = type
        self.arguments = arguments
        self.shell = shell
    }

    func run() throws(ShaleError) -> Outcome { try run(type) }

    private func run<Command: Verb>(_ type: Command.Type) throws(ShaleError) -> Outcome {
        if let help = arguments.first, help == "--help" || help == "-h", arguments.count == 1 {
            return .text(HelpText.of(type))
        }
        var command: Command
        do {
            command = try Command.parse(SpelledFlags.normalised(arguments, for: type))
        } catch {
            if Command.exitCode(for: error) == .success { return .text(HelpText.of(type)) }
            throw usage(Command.message(for: error), of: type)
        }
        return try command.perform(in: shell)
    }

    private func usage(_ message: String, of type: any Verb.Type) -> ShaleError {
        // The parser's message may go on with its own usage lines; help has them.
        let first = message.split(separator: "\n").first.map(String.init) ?? "wrong usage"
        let text = first.hasPrefix("Error: ") ? String(first.dropFirst(7)) : first
        return ShaleError(.usage, "\(type.verb): \(text)", hint: "help \(type.verb)")
    }
}

/// Docker's `--flag=true` and `--flag=false`, which our parser has no word for.
enum SpelledFlags {
    static func normalised(_ arguments: [String], for type: any Verb.Type) -> [String] {
        guard arguments.contains(where: { $0.hasSuffix("=true") || $0.hasSuffix("=false") }) else { return arguments }
        let switches = CommandTable.switches(of: type)
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            // What stands behind the image is the container's own.
            if argument == "--" || (!argument.hasPrefix("-") && CommandTable.stopsAtFirstOperand(type)) {
                return result + arguments[index...]
            }
            let parts = argument.split(separator: "=", maxSplits: 1)
            if parts.count == 2, switches.contains(String(parts[0])), ["true", "false"].contains(parts[1]) {
                if parts[1] == "true" { result.append(String(parts[0])) }
            } else {
                result.append(argument)
            }
        }
        return result
    }
}
