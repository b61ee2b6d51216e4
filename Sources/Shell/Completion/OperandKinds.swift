/// What the operands of shale's verbs are, where the option model itself does not say.
enum OperandKinds {
    /// By verb, in order; the last one repeats.
    private static let verbs: [String: [ValueKind]] = [
        // Images and registries.
        "images": [.image], "tag": [.image, .reference], "untag": [.image], "rmi": [.image], "history": [.object],
        "save": [.image], "squash": [.image], "config": [.image], "rebase": [.image],
        "import": [.hostPath, .reference],
        "load": [.hostPath], "export": [.object], "pull": [.reference], "push": [.image], "ref": [.reference],
        "tags": [.reference], "manifest": [.reference], "inspect": [.object],
        // Containers.
        "run": [.image, .program], "create": [.image, .program], "start": [.stoppedContainer],
        "stop": [.runningContainer], "kill": [.runningContainer], "restart": [.container],
        "pause": [.runningContainer], "unpause": [.pausedContainer], "rm": [.container], "rename": [.container, .none],
        "wait": [.container], "logs": [.container], "attach": [.runningContainer],
        "exec": [.runningContainer, .program], "top": [.runningContainer], "stats": [.runningContainer],
        "port": [.container], "cp": [.placeOrHostPath], "diff": [.object], "commit": [.container, .reference],
        "debug": [.object, .program], "volume inspect": [.volume], "volume rm": [.volume],
        // Building, recording.
        "build": [.hostDirectory], "context": [.hostDirectory], "record": [.hostPath], "replay": [.hostPath],
        "recipe": [.object], "enter": [.object], "edit": [.step], "drop": [.step], "move": [.step], "goto": [.state],
        "fork": [.state, .none], "reflog": [.image], "test": [.hostPath],
        // Looking into layers.
        "layers": [.object], "ls": [.place], "cat": [.place], "tree": [.place], "find": [.place], "stat": [.place],
        "du": [.place], "grep": [.none, .place], "blame": [.place], "compare": [.object], "waste": [.object],
        "size": [.object], "packages": [.object], "dockerfile": [.object], "base": [.object],
        // The shell.
        "explain": [.topic], "help": [.verb], "source": [.hostPath], "cd": [.placeOrHostPath],
        "set": [.setting, .settingValue], "unset": [.variable],
        "lcd": [.hostDirectory],
    ]

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
        "--volume": .volumeOrHostPath, "--cidfile": .hostPath, "--iidfile": .hostPath, "--output": .hostPath,
        "--input": .hostPath, "--filter": .filter, "--format": .format, "--session": .session, "--workdir": .none,
        "--base-config": .hostPath, "--html": .hostPath, "--extract": .hostDirectory, "--old": .image, "--new": .image,
        "--cast": .hostPath, "--md": .hostPath, "--home": .hostDirectory, "--file": .hostPath,
        "--label-file": .hostPath,
    ]

    static func kind(ofOperand index: Int, of verb: String) -> ValueKind? {
        verbs[verb].flatMap { kinds in kinds.isEmpty ? nil : kinds[min(index, kinds.count - 1)] }
    }

    static func kind(ofName name: String) -> ValueKind { names[name.lowercased()] ?? .none }

    static func kind(ofFlag names: [String], valueName: String) -> ValueKind {
        for name in names { if let kind = flags[name] { return kind } }
        return kind(ofName: valueName)
    }

    /// One declared operand as the operands it stands for.
    ///
    /// `run`'s single list of all remaining words is an image and then a command; `cp`'s list is as it says.
    static func operands(of verb: String, from declared: CommandModel.Operand) -> [CommandModel.Operand] {
        if verb == VolumeCommand.verb {
            return [
                CommandModel.Operand(CommandModel.Value(.none, name: "command", words: VolumeCommand.words)),
                CommandModel.Operand(
                    CommandModel.Value(.volume, name: "volume"), isOptional: true, isRepeating: true, takesRest: true),
            ]
        }
        guard declared.takesRest, let kinds = verbs[verb], kinds.count > 1, kinds.last == .program else {
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
