import ArgumentParser
import FoundationEssentials

extension CommandModel.Verb {
    /// A command of swift-argument-parser; its options are read when they are first asked for.
    package init<Command: Verb>(_ type: Command.Type) {
        let configuration = type.configuration
        let name = configuration.commandName ?? String(describing: type).lowercased()
        self.init(
            name, aliases: configuration.aliases, summary: configuration.abstract,
            isHidden: !configuration.shouldDisplay
        ) {
            CommandModel.Description(toolInfo: type._dumpHelp(), of: type)
        }
    }
}

extension CommandModel.Description {
    /// Reads what swift-argument-parser says of one command: the JSON of `Command._dumpHelp()` (its ToolInfo, version
    /// 0).
    ///
    /// The kind of a value is, in this order: what ``CompletionKind/shale(_:)`` or another `completion:` declares, what
    /// the verb's `operandKinds` say, and what its name in the usage suggests. A text that cannot be read gives an
    /// empty description, because completion must not fail.
    package init(toolInfo text: String, of type: any Verb.Type) {
        guard let tool = ToolInfo(text) else {
            self.init()
            return
        }
        var flags: [CommandModel.Flag] = []
        var operands: [CommandModel.Operand] = []
        for argument in tool.command.arguments ?? [] where argument.shouldDisplay ?? true {
            switch argument.kind {
            case "positional":
                let value = argument.value(of: type, index: operands.count, flag: nil)
                let strategy = argument.parsingStrategy ?? ""
                let takesRest = ["allRemainingInput", "postTerminator", "allUnrecognized"].contains(strategy)
                operands += OperandKinds.operands(
                    of: type,
                    from: CommandModel.Operand(
                        value, isOptional: argument.isOptional ?? false, isRepeating: argument.isRepeating ?? false,
                        takesRest: takesRest))
            default:
                let names = argument.dashedNames
                let value = argument.kind == "option" ? argument.value(of: type, index: 0, flag: names) : nil
                flags.append(CommandModel.Flag(names, summary: argument.abstract ?? "", value: value))
            }
        }
        self.init(flags: flags, operands: operands)
    }
}

/// The part of ArgumentParser's ToolInfo that matters here and to the manual.
struct ToolInfo: Decodable {
    struct Command: Decodable { var arguments: [Argument]? }

    /// What `Command._dumpHelp()` says; `nil` where it cannot be read.
    init?(_ text: String) {
        guard let read = try? JSONDecoder().decode(ToolInfo.self, from: Data(text.utf8)) else { return nil }
        self = read
    }

    struct Name: Decodable {
        var kind: String
        var name: String

        var dashed: String { (kind == "long" ? "--" : "-") + name }
    }

    /// How ArgumentParser encodes an enum with values: `{"list":{"values":[…]}}`.
    struct Completion: Decodable {
        struct Words: Decodable { var values: [String]? }
        struct Program: Decodable { var command: String? }
        struct Empty: Decodable {}

        var list: Words?
        var shellCommand: Program?
        var file: Empty?
        var directory: Empty?
    }

    struct Argument: Decodable {
        var kind: String
        var shouldDisplay: Bool?
        var isOptional: Bool?
        var isRepeating: Bool?
        var parsingStrategy: String?
        var names: [Name]?
        var preferredName: Name?
        var valueName: String?
        var allValues: [String]?
        var completionKind: Completion?
        var abstract: String?

        var dashedNames: [String] {
            let all = (names ?? []).map(\.dashed)
            guard let preferred = preferredName?.dashed else { return all }
            return [preferred] + all.filter { $0 != preferred }
        }

        func value(of type: any Verb.Type, index: Int, flag: [String]?) -> CommandModel.Value {
            let name = valueName ?? "value"
            let words = completionKind?.list?.values ?? allValues ?? []
            return CommandModel.Value(kind(of: type, index: index, flag: flag), name: name, words: words)
        }

        private func kind(of type: any Verb.Type, index: Int, flag: [String]?) -> ValueKind {
            if let command = completionKind?.shellCommand?.command, command.hasPrefix("shale complete ") {
                return ValueKind(rawValue: String(command.dropFirst("shale complete ".count))) ?? .none
            }
            if completionKind?.directory != nil { return .hostDirectory }
            if completionKind?.file != nil { return .hostPath }
            if let flag { return OperandKinds.kind(ofFlag: flag, valueName: valueName ?? "") }
            let kinds = type.operandKinds
            return kinds.isEmpty ? OperandKinds.kind(ofName: valueName ?? "") : kinds[min(index, kinds.count - 1)]
        }
    }

    var command: Command
}
