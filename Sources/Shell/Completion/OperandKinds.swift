/// What the operands of shale's verbs are, where neither the option model nor the verb itself (`operandKinds`) says.
enum OperandKinds {
    private static let names: [String: ValueKind] = [
        "image": .image, "images": .image, "container": .container, "containers": .container, "place": .place,
        "places": .place, "path": .hostPath, "file": .hostPath, "files": .hostPath, "dir": .hostDirectory,
        "directory": .hostDirectory, "reference": .reference, "repository": .reference, "session": .session,
        "signal": .signal, "platform": .platform, "lesson": .lesson, "topic": .topic, "command": .none, "base": .image,
        "verb": .verb, "object": .object, "layer": .layer, "step": .step, "network": .network,
        "volume": .volume,
    ]

    private static let flags: [String: ValueKind] = [
        "--platform": .platform, "--signal": .signal, "--stop-signal": .signal, "--network": .network,
        "--cap-add": .capability, "--cap-drop": .capability, "--env": .environment, "--env-file": .hostPath,
        "--volume": .volumeOrHostPath, "--mount": .mount, "--cidfile": .hostPath, "--iidfile": .hostPath,
        "--output": .hostPath,
        "--input": .hostPath, "--filter": .filter, "--format": .format, "--session": .session, "--workdir": .none,
        "--base-config": .hostPath, "--html": .hostPath, "--extract": .hostDirectory, "--old": .image, "--new": .image,
        "--cast": .hostPath, "--md": .hostPath, "--home": .hostDirectory, "--file": .hostPath,
        "--label-file": .hostPath,
    ]

    static func kind(ofName name: String) -> ValueKind { names[name.lowercased()] ?? .none }

    static func kind(ofFlag names: [String], valueName: String) -> ValueKind {
        for name in names { if let kind = flags[name] { return kind } }
        return kind(ofName: valueName)
    }

    /// One declared operand as the operands it stands for.
    ///
    /// `run`'s single list of all remaining words is an image and then a command; `cp`'s list is as it says.
    static func operands(of type: any Verb.Type, from declared: CommandModel.Operand) -> [CommandModel.Operand] {
        if type == VolumeCommand.self {
            return [
                CommandModel.Operand(CommandModel.Value(.none, name: "command", words: type.secondWords.map(\.word))),
                CommandModel.Operand(
                    CommandModel.Value(.volume, name: "volume"), isOptional: true, isRepeating: true, takesRest: true),
            ]
        }
        let kinds = type.operandKinds
        if !type.secondWords.isEmpty {
            let first = CommandModel.Operand(
                CommandModel.Value(
                    kinds.first ?? .none, name: declared.value.name, words: type.secondWords.map(\.word)),
                isOptional: declared.isOptional)
            return type.subcommands.isEmpty && declared.isRepeating ? [first, declared] : [first]
        }
        guard declared.takesRest, kinds.count > 1, kinds.last == .program else {
            return [declared]
        }
        let first = kinds[0] == .image ? "image" : kinds[0] == .object ? "image|container" : "container"
        return [
            CommandModel.Operand(CommandModel.Value(kinds[0], name: first)),
            CommandModel.Operand(
                CommandModel.Value(.program, name: "command"), isOptional: true, isRepeating: true, takesRest: true),
        ]
    }
}
