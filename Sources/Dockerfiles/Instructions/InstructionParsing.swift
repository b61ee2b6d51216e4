import Basics

extension Dockerfile {
    /// The instruction that a node contains; throws an error in docker's words when the node is wrong.
    package func instruction(_ node: Node) throws(DockerfileError) -> Located<Instruction> {
        do throws(Complaint) {
            return Located(try Instruction(node), at: node)
        } catch {
            throw self.error(node.line, error)
        }
    }
}

extension Instruction {
    init(_ node: Node) throws(Complaint) {
        switch node.keyword {
        case "from": self = .from(try FromInstruction(node))
        case "run": self = .run(try RunInstruction(node))
        case "copy": self = .copy(try CopyInstruction(node))
        case "add": self = .add(try AddInstruction(node))
        case "env": self = .env(try node.pairs())
        case "label": self = .label(try node.pairs())
        case "arg": self = .arg(try ArgInstruction(node))
        case "workdir": self = .workdir(try node.onlyArgument())
        case "user": self = .user(try node.onlyArgument())
        case "stopsignal": self = .stopsignal(try node.onlyArgument())
        case "maintainer": self = .maintainer(try node.onlyArgument())
        case "cmd": self = .cmd(try node.commandLine())
        case "entrypoint": self = .entrypoint(try node.commandLine())
        case "expose":
            self = .expose(try node.someArguments().sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        case "volume": self = .volume(try node.volumes())
        case "shell": self = .shell(try node.shell())
        case "healthcheck": self = .healthcheck(try HealthCheck(node))
        case "onbuild": self = .onbuild(try node.onbuild())
        default:
            throw Complaint(
                "unknown instruction: \(node.spelling)", about: node.spelling, among: Instruction.keywords,
                caseSensitive: false)
        }
    }
}

extension Node {
    fileprivate var name: String { keyword.uppercased() }

    /// Refuses every flag, for instructions that have none.
    fileprivate func refuseFlags() throws(Complaint) {
        _ = try InstructionFlags(flags, known: [:])
    }

    fileprivate func onlyArgument() throws(Complaint) -> String {
        guard arguments.count == 1, let argument = arguments.first else {
            throw Complaint("\(name) requires exactly one argument")
        }
        try refuseFlags()
        return argument
    }

    fileprivate func someArguments() throws(Complaint) -> [String] {
        guard !arguments.isEmpty else { throw Complaint("\(name) requires at least one argument") }
        try refuseFlags()
        return arguments
    }

    fileprivate func pairs() throws(Complaint) -> [KeyValue] {
        try refuseFlags()
        guard !arguments.isEmpty else { throw Complaint("\(name) requires at least one argument") }
        guard arguments.count.isMultiple(of: 3) else { throw Complaint("Bad input to \(name), too many arguments") }
        var pairs: [KeyValue] = []
        for start in stride(from: 0, to: arguments.count, by: 3) {
            guard !arguments[start].isEmpty else { throw Complaint("\(name) names can not be blank") }
            pairs.append(
                KeyValue(key: arguments[start], value: arguments[start + 1], isLegacy: arguments[start + 2].isEmpty))
        }
        return pairs
    }

    fileprivate func commandLine() throws(Complaint) -> CommandLine {
        try refuseFlags()
        return command
    }

    /// The command; an empty text for the shell is still a text.
    fileprivate var command: CommandLine {
        form == .exec
            ? CommandLine(words: arguments, usesShell: false)
            : CommandLine(words: [arguments.joined(separator: " ")], usesShell: true)
    }

    fileprivate func volumes() throws(Complaint) -> [String] {
        let volumes = try someArguments().map(\.trimmed)
        guard !volumes.contains("") else { throw Complaint("VOLUME specified can not be an empty string") }
        return volumes
    }

    fileprivate func shell() throws(Complaint) -> [String] {
        try refuseFlags()
        guard !arguments.isEmpty else { throw Complaint("SHELL requires at least one argument") }
        guard form == .exec else { throw Complaint("SHELL requires the arguments to be in JSON form") }
        return arguments
    }

    fileprivate func onbuild() throws(Complaint) -> String {
        guard let trigger = trigger.first else { throw Complaint("ONBUILD requires at least one argument") }
        try refuseFlags()
        switch trigger.keyword {
        case "onbuild": throw Complaint(Instruction.chainingOnbuild)
        case "maintainer", "from": throw Complaint("\(trigger.name) isn't allowed as an ONBUILD trigger")
        default: break
        }
        let text = String(original.unicodeScalars.dropFirst(keyword.unicodeScalars.count).trimmedLeft)
        return heredocs.reduce(text) { text, heredoc in "\(text)\n\(heredoc.content)\(heredoc.name)" }
    }
}

extension FromInstruction {
    fileprivate init(_ node: Node) throws(Complaint) {
        let words = node.arguments
        if words.count == 3, words[1].lowercased() == "as" {
            let name = words[2].lowercased()
            guard Self.isStageName(name) else {
                throw Complaint(
                    "invalid name for build stage: \(goQuoted(words[2])), name can't start with a number or contain symbols"
                )
            }
            stageName = name
        } else if words.count != 1 {
            throw Complaint("FROM requires either one or three arguments")
        }
        platform = try InstructionFlags(node.flags, known: ["platform": .text]).text("platform")
        baseName = words[0]
    }

    private static func isStageName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.isLetter || $0.isDigit || "-_.".unicodeScalars.contains($0))
        }
    }
}

extension ArgInstruction {
    fileprivate init(_ node: Node) throws(Complaint) {
        var arguments: [Argument] = []
        for word in try node.someArguments() {
            let (key, value) = word.cut(at: "=")
            if value != nil, key.isEmpty { throw Complaint("ARG names can not be blank") }
            arguments.append(Argument(key: key, value: value))
        }
        self.arguments = arguments
    }
}

extension RunInstruction {
    fileprivate init(_ node: Node) throws(Complaint) {
        let flags = try InstructionFlags(
            node.flags, known: ["mount": .list, "network": .text, "security": .text, "device": .list])
        network = flags.text("network") ?? "default"
        guard ["default", "none", "host"].contains(network) else {
            throw Complaint("invalid network mode \(goQuoted(network))")
        }
        security = flags.text("security") ?? "sandbox"
        guard ["sandbox", "insecure"].contains(security) else {
            throw Complaint("security \(goQuoted(security)) is not valid")
        }
        mounts = flags.list("mount")
        for mount in mounts { try RunMount.checkBeforeExpansion(mount) }
        devices = flags.list("device")
        for device in devices { _ = try RunDevice(parsing: device) }
        flagsUsed = flags.used
        heredocs = node.heredocs
        command = node.command
    }
}

extension FileSources {
    fileprivate init(_ node: Node, flags: InstructionFlags) throws(Complaint) {
        let destination = node.arguments.last ?? ""
        if (try? HeredocWord.parse(destination)) != nil {
            throw Complaint("\(node.name) cannot accept a heredoc as a destination")
        }
        self.destination = destination
        paths = []
        inline = []
        for source in node.arguments.dropLast() {
            if let word = try? HeredocWord.parse(source) {
                let heredoc = node.heredocs.last { $0.name == word.name } ?? word
                inline.append(Inline(name: word.name, content: heredoc.text, expand: word.expand))
            } else {
                paths.append(source)
            }
        }
        owner = flags.text("chown")
        mode = flags.text("chmod")
        link = flags.toggle("link") ?? false
        excluding = flags.list("exclude")
    }
}

extension CopyInstruction {
    fileprivate init(_ node: Node) throws(Complaint) {
        try node.requireDestination()
        let flags = try InstructionFlags(
            node.flags,
            known: [
                "chown": .text, "from": .text, "chmod": .text, "link": .toggle, "exclude": .list, "parents": .toggle,
            ])
        files = try FileSources(node, flags: flags)
        from = flags.text("from")
        parents = flags.toggle("parents") ?? false
    }
}

extension AddInstruction {
    fileprivate init(_ node: Node) throws(Complaint) {
        try node.requireDestination()
        let flags = try InstructionFlags(
            node.flags,
            known: [
                "chown": .text, "chmod": .text, "link": .toggle, "keep-git-dir": .toggle, "checksum": .text,
                "unpack": .toggle, "exclude": .list,
            ])
        files = try FileSources(node, flags: flags)
        keepGitDir = flags.toggle("keep-git-dir")
        checksum = flags.text("checksum")
        unpack = flags.toggle("unpack")
    }
}

extension Node {
    fileprivate func requireDestination() throws(Complaint) {
        guard arguments.count >= 2 else {
            throw Complaint(
                "\(name) requires at least two arguments, but only one was provided. Destination could not be determined"
            )
        }
    }
}

extension HealthCheck {
    fileprivate init(_ node: Node) throws(Complaint) {
        guard let first = node.arguments.first else { throw Complaint("HEALTHCHECK requires at least one argument") }
        let kind = first.uppercased()
        let words = Array(node.arguments.dropFirst())
        if kind == "NONE" {
            guard words.isEmpty else { throw Complaint("HEALTHCHECK NONE takes no arguments") }
            try node.refuseFlags()
            test = ["NONE"]
            return
        }
        let flags = try InstructionFlags(
            node.flags,
            known: [
                "interval": .text, "timeout": .text, "start-period": .text, "start-interval": .text, "retries": .text,
            ])
        guard kind == "CMD" else { throw Complaint("Unknown type \(goQuoted(kind)) in HEALTHCHECK (try CMD)") }
        guard !words.isEmpty else { throw Complaint("Missing command after HEALTHCHECK CMD") }
        test = node.form == .exec ? ["CMD"] + words : ["CMD-SHELL", words.joined(separator: " ")]
        interval = try Self.duration("interval", flags)
        timeout = try Self.duration("timeout", flags)
        startPeriod = try Self.duration("start-period", flags)
        startInterval = try Self.duration("start-interval", flags)
        if let text = flags.text("retries"), !text.isEmpty {
            guard let count = Int32(text) else {
                throw Complaint("strconv.ParseInt: parsing \(goQuoted(text)): invalid syntax")
            }
            guard count >= 0 else { throw Complaint("--retries cannot be negative (\(count))") }
            retries = Int(count)
        }
    }

    /// A flag's nanoseconds; 0 where it is absent, at least one millisecond otherwise.
    private static func duration(_ name: String, _ flags: InstructionFlags) throws(Complaint) -> Int64 {
        guard let text = flags.text(name), !text.isEmpty else { return 0 }
        let nanoseconds: Int64
        do throws(GoDuration.Malformed) {
            nanoseconds = try GoDuration.nanoseconds(text)
        } catch {
            throw Complaint(error.words)
        }
        guard nanoseconds == 0 || nanoseconds >= 1_000_000 else {
            throw Complaint("Interval \(goQuoted(name)) cannot be less than 1ms")
        }
        return nanoseconds
    }
}
