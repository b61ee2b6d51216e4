import TestSupport

@testable import Dockerfiles

/// Typed instructions in the corpus's notation, Go's field names.
enum StageShape {
    static func stage(_ stage: Stage) -> JSONValue {
        .object([
            "base": .string(stage.baseName), "name": .string(stage.name ?? ""),
            "platform": .string(stage.platform ?? ""),
            "commands": .array(stage.instructions.map { command($0.value) }),
        ])
    }

    /// The recorded stage without what shale does not keep apart.
    static func known(_ stage: JSONValue) -> JSONValue {
        guard var members = stage.object else { return stage }
        members["comment"] = nil
        members["commands"] = .array(
            (members["commands"]?.array ?? []).map { command in
                guard var members = command.object else { return command }
                // Names of the flags that a hook registered; shale keeps the flags themselves.
                members["FlagsUsed"] = nil
                if let arguments = members["Args"]?.array { members["Args"] = .array(arguments.map(withoutComment)) }
                if let words = members["CmdLine"]?.array, words.isEmpty { members["CmdLine"] = nil }
                return .object(members)
            })
        return .object(members)
    }

    /// Go leaves members out that are empty or false.
    private static func withoutEmptyMembers(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(withoutEmptyMembers))
        case .object(let members): .object(members.filter { $0.value != .string("") && $0.value != .bool(false) })
        default: value
        }
    }

    static func withoutComment(_ argument: JSONValue) -> JSONValue {
        guard var members = argument.object else { return argument }
        members["Comment"] = nil
        return .object(members)
    }

    static func argument(_ argument: ArgInstruction.Argument) -> JSONValue {
        var members: [String: JSONValue] = ["Key": .string(argument.key)]
        if let value = argument.value { members["Value"] = .string(value) }
        return .object(members)
    }

    static func command(_ instruction: Instruction) -> JSONValue {
        var members: [String: JSONValue] = [:]
        func list(_ words: [String]) -> JSONValue? { words.isEmpty ? nil : .array(words.map(JSONValue.string)) }
        func text(_ word: String?) -> JSONValue? { (word ?? "").isEmpty ? nil : .string(word ?? "") }
        func flag(_ value: Bool?) -> JSONValue? { value.map(JSONValue.bool) }
        func pairs(_ pairs: [KeyValue]) -> JSONValue {
            .array(
                pairs.map { pair in
                    var members: [String: JSONValue] = ["Key": .string(pair.key), "Value": .string(pair.value)]
                    if pair.isLegacy { members["NoDelim"] = .bool(true) }
                    return .object(members)
                })
        }
        func commandLine(_ line: CommandLine) {
            members["CmdLine"] = list(line.words)
            if line.usesShell { members["PrependShell"] = .bool(true) }
        }
        func files(_ files: FileSources) {
            members["SourcePaths"] = list(files.paths)
            members["DestPath"] = .string(files.destination)
            members["Chown"] = text(files.owner)
            members["Chmod"] = text(files.mode)
            members["Link"] = files.link ? .bool(true) : nil
            members["ExcludePatterns"] = list(files.excluding)
            if !files.inline.isEmpty {
                members["SourceContents"] = .array(
                    files.inline.map {
                        .object(["Path": .string($0.name), "Data": .string($0.content), "Expand": .bool($0.expand)])
                    })
            }
        }
        switch instruction {
        case .from: break
        case .run(let run):
            commandLine(run.command)
            if !run.heredocs.isEmpty {
                members["Files"] = .array(
                    run.heredocs.map { heredoc in
                        var file: [String: JSONValue] = [
                            "Name": .string(heredoc.name), "Data": .string(heredoc.content),
                        ]
                        if heredoc.chomp { file["Chomp"] = .bool(true) }
                        return .object(file)
                    })
            }
        case .copy(let copy):
            files(copy.files)
            members["From"] = text(copy.from)
            members["Parents"] = copy.parents ? .bool(true) : nil
        case .add(let add):
            files(add.files)
            members["KeepGitDir"] = flag(add.keepGitDir)
            members["Checksum"] = text(add.checksum)
            members["Unpack"] = flag(add.unpack)
        case .env(let list): members["Env"] = pairs(list)
        case .label(let list): members["Labels"] = pairs(list)
        case .arg(let arg): members["Args"] = .array(arg.arguments.map(argument))
        case .workdir(let path): members["Path"] = .string(path)
        case .user(let user): members["User"] = .string(user)
        case .cmd(let line), .entrypoint(let line): commandLine(line)
        case .expose(let ports): members["Ports"] = list(ports)
        case .volume(let volumes): members["Volumes"] = list(volumes)
        case .shell(let shell): members["Shell"] = list(shell)
        case .stopsignal(let signal): members["Signal"] = .string(signal)
        case .maintainer(let name): members["Maintainer"] = .string(name)
        case .healthcheck(let health):
            var object: [String: JSONValue] = ["Test": .array(health.test.map(JSONValue.string))]
            for (name, value) in [
                ("Interval", health.interval), ("Timeout", health.timeout), ("StartPeriod", health.startPeriod),
                ("StartInterval", health.startInterval), ("Retries", Int64(health.retries)),
            ] where value != 0 { object[name] = .number(Double(value)) }
            members["Health"] = .object(object)
        case .onbuild(let text): members["Expression"] = .string(text)
        }
        members["instruction"] = .string(instruction.keyword)
        // Of an ARG an empty default is told from none.
        if case .arg = instruction { return .object(members) }
        return .object(members.mapValues(withoutEmptyMembers))
    }
}
