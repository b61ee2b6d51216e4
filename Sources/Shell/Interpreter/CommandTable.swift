import ArgumentParser
package import Basics
import FoundationEssentials
import Glibc
import Linux
import ShellLanguage
import Synchronization

/// Every command there is, in the groups that `help` shows.
package struct CommandTable: Sendable {
    package struct Group: Sendable {
        package let title: String
        package let verbs: [any Verb.Type]
    }

    package static let shared = CommandTable()

    package let groups: [Group] = CommandGroups.all
    /// Every verb and its aliases.
    package let words: Set<String>
    /// How docker's management commands name them (``Verb/managementNames``).
    let spelling: Spelling
    private let byName: [String: any Verb.Type]

    private init() {
        var names: [String: any Verb.Type] = [:]
        for type in CommandGroups.all.flatMap(\.verbs) {
            names[type.verb] = type
            for alias in type.configuration.aliases { names[alias] = type }
        }
        byName = names
        words = Set(names.keys)
        var nouns: [String: [String: [String]]] = [:]
        for type in CommandGroups.all.flatMap(\.verbs) {
            for name in type.managementNames {
                nouns[name.noun, default: [:]][name.verb] = [type.verb] + name.operands
            }
        }
        spelling = Spelling(nouns: nouns)
    }

    package var verbs: [any Verb.Type] { groups.flatMap(\.verbs) }
    package var names: [String] { verbs.map { $0.verb }.sorted() }

    package func find(_ word: String) -> (any Verb.Type)? { byName[word] }

    /// The command that a line's words call: of one word or of two.
    func find(words: [String]) -> (any Verb.Type)? {
        guard let type = words.first.flatMap({ find($0) }) else { return nil }
        return words.dropFirst().first.flatMap { type.subcommand($0) } ?? type
    }

    /// The error for a word that is no command, with the nearest that is one.
    package func unknown(_ word: String) -> ShaleError {
        let known = byName.keys.sorted() + Spelling.tools.sorted()
        let near = Suggestion.nearest(to: word, among: known).first ?? shortened(word)
        let instruction = Suggestion.nearest(to: word, among: StepKeyword.names.sorted()).first
        let hint =
            if (try? FileStatus.of(hostPath: word))?.kind == .regular {
                access(word, X_OK) == 0
                    ? "!\(word.shellQuoted)   (to run the file)"
                    : "source \(word.shellQuoted)   (to run the file's lines)"
            } else if let told = Self.notHere[word] {
                told
            } else if let verbs = spelling.nouns[word]?.keys.sorted() {
                verbs.map { "\(word) \($0)" }.joined(separator: ", ")
            } else if StepKeyword.names.contains(word.uppercased()) {
                "\(word.uppercased()) …   (a Dockerfile instruction is in capitals)"
            } else if word == word.uppercased(), let instruction {
                "\(instruction) …   (a Dockerfile instruction)"
            } else {
                HostProgram.isOnPath(word) ? "!\(word)   (a command of the host's)" : near ?? "help"
            }
        return ShaleError(.usage, "unknown command: \(word.visible)", hint: hint)
    }

    /// The only command that a word leaves letters out of: `imgs` is `images`.
    private func shortened(_ word: String) -> String? {
        guard word.count >= 3 else { return nil }
        let found = verbs.filter { $0.configuration.shouldDisplay }.map { $0.verb }.filter { name in
            guard name.first == word.first, name.last == word.last else { return false }
            var rest = word[...]
            for letter in name where rest.first == letter { rest.removeFirst() }
            return rest.isEmpty
        }
        return found.count == 1 ? found[0] : nil
    }

    private static let notComposed =
        "run, for each container by itself; a shale script (shale FILE.shale) holds several"

    /// Docker's commands that shale does not have, each with the command to use instead.
    private static let notHere: [String: String] = [
        "network":
            "there are none to make: run --network host, none, private or container:NAME, which shares another's",
        "compose": notComposed, "docker-compose": notComposed,
        "swarm": "help   (shale works on one machine)", "stack": "help   (shale works on one machine)",
        "service": "help   (shale works on one machine)", "node": "help   (shale works on one machine)",
        "context": "context DIR   (lists what a build context holds)",
        "echo": "!echo …   (the host's; it knows shale's variables)",
        "printf": "!printf …   (the host's; it knows shale's variables)",
    ]

    /// Commands whose words behind the image belong to the container's shell.
    static func keepsUnknownVariables(_ verb: String) -> Bool {
        shared.find(verb)?.holdsContainerCommand ?? false
    }

    /// Commands whose here-document is for a container, or a Dockerfile with variables of its own.
    static func keepsVariablesOfDocument(_ verb: String) -> Bool {
        keepsUnknownVariables(verb) || shared.find(verb)?.hasVariablesOfItsOwn ?? false
    }

    static func stopsAtFirstOperand(_ type: any Verb.Type) -> Bool {
        type.holdsContainerCommand || type.holdsCommand
    }

    /// The names of a command's options.
    static func optionNames(of type: any Verb.Type) -> SpelledFlags.Names {
        known.withLock { known in
            if let found = known[type.verb] { return found }
            let arguments = arguments(of: type)
            let found = SpelledFlags.Names(
                switches: arguments.filter { $0.kind == "flag" }.map(\.dashedNames),
                valued: arguments.filter { $0.kind == "option" }.flatMap(\.dashedNames))
            known[type.verb] = found
            return found
        }
    }

    /// Every flag of a command as it is typed, for the nearest to one that does not exist.
    static func flags(of type: any Verb.Type) -> [String] {
        arguments(of: type).filter { $0.kind != "positional" }.flatMap(\.dashedNames)
    }

    /// The error for a word before the image that looks like a flag and is not one, with the nearest flag.
    static func unknownFlag(_ word: String, of verb: String) -> ShaleError {
        let name = String(word.prefix { $0 != "=" })
        let all = shared.find(verb).map { flags(of: $0) } ?? []
        let near = name.hasPrefix("--") ? Suggestion.nearest(to: name, among: all).first : nil
        return ShaleError(
            .usage, "\(verb): unknown flag: \(name.visible)", hint: near.map { "\(verb) \($0)" } ?? "help \(verb)")
    }

    private static let known = Mutex<[String: SpelledFlags.Names]>([:])

    private static func arguments(of type: any Verb.Type) -> [HelpModel.Argument] {
        func dump<Command: Verb>(_ type: Command.Type) -> String { Command._dumpHelp() }
        let model = try? JSONDecoder().decode(HelpModel.self, from: Data(dump(type).utf8))
        return model?.command.arguments ?? []
    }

    /// The part of ArgumentParser's tool description that is needed here.
    private struct HelpModel: Decodable {
        struct Command: Decodable { var arguments: [Argument]? }
        struct Argument: Decodable {
            var kind: String
            var names: [Name]?
            var dashedNames: [String] { (names ?? []).map { $0.kind == "short" ? "-\($0.name)" : "--\($0.name)" } }
        }
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var command: Command
    }
}
