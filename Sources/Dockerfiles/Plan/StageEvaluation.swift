import Basics

/// What each step does to a stage's image.
extension Planner {
    mutating func evaluate(_ place: Int) throws(DockerfileError) {
        inherit(place)
        stages[place].isDone = true
        for index in stages[place].commands.indices {
            let command = stages[place].commands[index]
            do throws(Complaint) {
                try apply(command, to: place)
            } catch {
                throw file.error(command.located.line, error)
            }
        }
    }

    /// Takes over what the base made, and makes sure of a `PATH`.
    private mutating func inherit(_ place: Int) {
        if let base = stages[place].base {
            stages[place].image = stages[base].image
            stages[place].image.config.onbuild = []
            stages[place].platform = stages[base].platform
            stages[place].variables = stages[base].variables
            stages[place].arguments = stages[base].arguments
            stages[place].hasWorkdir = stages[base].hasWorkdir
        }
        let isWindows = (stages[place].platform ?? options.targetPlatform).os == "windows"
        let environment = stages[place].image.config.environment
        if !isWindows, !environment.contains(where: { $0.cut(at: "=").before == "PATH" }) {
            stages[place].image.config.environment.append(DefaultPath.entry)
        }
        for entry in stages[place].image.config.environment {
            let (name, value) = entry.cut(at: "=")
            stages[place].variables.set(name, value ?? "")
        }
        let directory = stages[place].image.config.workingDirectory
        if !directory.isEmpty {
            stages[place].image.config.workingDirectory = Self.directory(directory, below: directory)
        }
    }

    /// A path, from the directory it is relative to; an absolute one stays as written.
    private static func directory(_ path: String, below current: String) -> String {
        if path.hasPrefix("/") { return path }
        if path.isEmpty { return current.hasPrefix("/") ? current : "/" + current }
        return CleanPath.clean("/\(current)/\(path)")
    }

    // MARK: Instructions

    /// A step's history: the line, and whether the step may change files.
    private struct Outcome {
        var instruction: Instruction
        var text: String?
        var changesFiles = false
    }

    private mutating func apply(_ command: PlannedStage.Command, to place: Int) throws(Complaint) {
        let located = command.located
        let outcome = try outcome(of: command, in: place)
        let history = outcome.text.map {
            PlannedHistory(createdBy: $0, comment: "buildkit.dockerfile.v0", isEmptyLayer: !outcome.changesFiles)
        }
        if let history { stages[place].image.history.append(history) }
        stages[place].steps.append(
            Plan.Step(
                instruction: outcome.instruction, line: located.line, endLine: located.endLine,
                original: located.original, isTrigger: command.isTrigger, history: history))
    }

    private mutating func outcome(of command: PlannedStage.Command, in place: Int) throws(Complaint) -> Outcome {
        let located = command.located
        switch located.value {
        case .from:
            return Outcome(instruction: located.value)
        case .env(let pairs):
            let pairs = try expand(pairs, in: place, for: located)
            return setEnvironment(pairs, in: place, located)
        case .label(let pairs):
            let pairs = try expand(pairs, in: place, for: located)
            warnAboutLegacy(pairs, located)
            for pair in pairs { stages[place].image.config.labels[pair.key] = pair.value }
            return Outcome(instruction: .label(pairs), text: Self.line("LABEL", pairs))
        case .arg(let arg):
            return try declare(arg, in: place, located)
        case .run(let run):
            return try plan(run, command, in: place)
        case .copy(var copy):
            copy.files = try expand(copy.files, in: place, for: located)
            try checkSource(of: copy, command, in: place)
            let flag = copy.parents ? " --parents" : ""
            let text = try line("COPY", copy.files, flag: flag, located, ignores: command.sources.isEmpty)
            return Outcome(instruction: .copy(copy), text: text, changesFiles: true)
        case .add(var add):
            if let checksum = add.checksum { add.checksum = try expand(checksum, in: place, for: located) }
            add.files = try expand(add.files, in: place, for: located)
            try checkChecksum(add)
            let text = try line("ADD", add.files, flag: "", located, ignores: true)
            return Outcome(instruction: .add(add), text: text, changesFiles: true)
        case .workdir(let path):
            return setDirectory(try expand(path, in: place, for: located), in: place, located)
        case .cmd, .entrypoint, .shell, .healthcheck:
            return setCommand(located, in: place)
        default:
            return try setRest(located, in: place)
        }
    }

    private mutating func setEnvironment(
        _ pairs: [KeyValue], in place: Int, _ located: Located<Instruction>
    ) -> Outcome {
        warnAboutLegacy(pairs, located)
        for pair in pairs {
            warnAboutSecret("ENV", pair.key, located)
            stages[place].variables.set(pair.key, pair.value)
            stages[place].image.config.setEnvironment(pair.key, pair.value)
        }
        return Outcome(instruction: .env(pairs), text: Self.line("ENV", pairs))
    }

    private static func line(_ keyword: String, _ pairs: [KeyValue]) -> String {
        keyword + pairs.map { " \($0.key)=\($0.value)" }.joined()
    }

    private mutating func warnAboutLegacy(_ pairs: [KeyValue], _ located: Located<Instruction>) {
        let name = located.value.keyword
        for pair in pairs where pair.isLegacy {
            report.add(
                .legacyKeyValueFormat,
                "\"\(name) key=value\" should be used instead of legacy \"\(name) key value\" format", at: located)
        }
    }

    private mutating func warnAboutSecret(_ keyword: String, _ name: String, _ located: Located<Instruction>) {
        guard StaticLint.isSecretName(name) else { return }
        report.add(
            .secretsUsedInArgOrEnv,
            "Do not use ARG or ENV instructions for sensitive data (\(keyword) \(goQuoted(name)))", at: located)
    }

    private mutating func declare(
        _ arg: ArgInstruction, in place: Int, _ located: Located<Instruction>
    ) throws(Complaint) -> Outcome {
        var arguments: [ArgInstruction.Argument] = []
        for var argument in arg.arguments {
            warnAboutSecret("ARG", argument.key, located)
            if let given = options.arguments[argument.key] {
                argument.value = given
            } else if let text = argument.value {
                argument.value = try expand(text, in: place, for: located)
            } else {
                argument.value = globals[argument.key]
            }
            if let value = argument.value, !Self.unsetArguments.contains(argument.key) {
                stages[place].variables.set(argument.key, value)
            }
            stages[place].arguments.append(argument)
            arguments.append(argument)
        }
        let text = arguments.map { argument in argument.key + (argument.value.map { "=\($0)" } ?? "") }
        return Outcome(
            instruction: .arg(ArgInstruction(arguments: arguments)), text: "ARG " + text.joined(separator: " "))
    }

    private mutating func plan(
        _ run: RunInstruction, _ command: PlannedStage.Command, in place: Int
    ) throws(Complaint) -> Outcome {
        var run = run
        let located = command.located
        for (index, text) in run.mounts.enumerated() {
            run.mounts[index] = try check(mount: text, source: command.sources[index], in: place, for: located)
        }
        let shell = stages[place].image.shell
        let words: [String]
        switch run.script {
        case .command(let line): words = line.usesShell ? shell + [line.words.joined(separator: " ")] : line.words
        case .file(let name, _): words = shell + ["/dev/pipes/\(name)"]
        }
        var arguments: [String] = []
        var places: [String: Int] = [:]
        for argument in stages[place].arguments {
            let entry = "\(argument.key)=\(stages[place].variables[argument.key] ?? argument.value ?? "")"
            if let known = places[argument.key] {
                arguments[known] = entry
            } else {
                places[argument.key] = arguments.count
                arguments.append(entry)
            }
        }
        if !arguments.isEmpty { arguments.insert("|\(arguments.count)", at: 0) }
        let text = "RUN " + (arguments + words).joined(separator: " ") + " # buildkit"
        return Outcome(instruction: .run(run), text: text, changesFiles: true)
    }

    /// Reads a mount with its variables replaced; the text with them.
    private mutating func check(
        mount text: String, source: Int?, in place: Int, for located: Located<Instruction>
    ) throws(Complaint) -> String {
        var fields: [String] = []
        for field in try CommaSeparated.fields(text, of: "mounts") {
            let (key, value) = field.cut(at: "=")
            guard let value else {
                fields.append(field)
                continue
            }
            fields.append("\(key)=\(try expand(value, in: place, for: located))")
        }
        let mount = try RunMount(fields: fields)
        if let source, !stages[source].isDone {
            throw Complaint(
                "cannot mount from stage \(goQuoted(mount.from ?? "")) to \(goQuoted(mount.target ?? "")), stage needs "
                    + "to be defined before current command")
        }
        return fields.map(CommaSeparated.quoted).joined(separator: ",")
    }

    private mutating func setDirectory(
        _ path: String, in place: Int, _ located: Located<Instruction>
    ) -> Outcome {
        if !stages[place].hasWorkdir, !path.hasPrefix("/") {
            report.add(
                .workdirRelativePath,
                "Relative workdir \(goQuoted(path)) can have unexpected results if the base image changes",
                at: located)
        }
        stages[place].hasWorkdir = true
        let directory = Self.directory(path, below: stages[place].image.config.workingDirectory)
        stages[place].image.config.workingDirectory = directory
        return Outcome(instruction: .workdir(path), text: "WORKDIR \(directory)", changesFiles: directory != "/")
    }

    /// `CMD`, `ENTRYPOINT`, `SHELL`, `HEALTHCHECK`.
    private mutating func setCommand(_ located: Located<Instruction>, in place: Int) -> Outcome {
        let name = located.value.keyword
        let position = (located.line, located.endLine)
        func words(_ line: CommandLine) -> [String] {
            if line.usesShell, stages[place].image.config.shell.isEmpty {
                report.add(
                    .jsonArgsRecommended,
                    "JSON arguments recommended for \(name) to prevent unintended behavior related to OS signals",
                    at: located)
            }
            return line.arguments(shell: stages[place].image.shell)
        }
        switch located.value {
        case .cmd(let line):
            warnAboutRepetition(name, of: stages[place].lastCommand, located)
            stages[place].lastCommand = position
            let words = words(line)
            stages[place].image.config.command = words
            stages[place].image.config.argumentsEscaped = true
            return Outcome(instruction: located.value, text: "CMD \(Self.quotedList(words))")
        case .entrypoint(let line):
            warnAboutRepetition(name, of: stages[place].lastEntrypoint, located)
            stages[place].lastEntrypoint = position
            let words = words(line)
            stages[place].image.config.entrypoint = words
            // A command of the base was meant for the base's entry point.
            if stages[place].lastCommand == nil { stages[place].image.config.command = nil }
            return Outcome(instruction: located.value, text: "ENTRYPOINT \(Self.quotedList(words))")
        case .healthcheck(let check):
            warnAboutRepetition(name, of: stages[place].lastHealthCheck, located)
            stages[place].lastHealthCheck = position
            stages[place].image.config.healthCheck = check
            return Outcome(instruction: located.value, text: Self.line(check))
        case .shell(let words):
            stages[place].image.config.shell = words
            return Outcome(instruction: located.value, text: "SHELL [\(words.joined(separator: " "))]")
        default:
            return Outcome(instruction: located.value)
        }
    }

    private mutating func warnAboutRepetition(
        _ keyword: String, of earlier: (line: Int, endLine: Int)?, _ located: Located<Instruction>
    ) {
        guard let earlier else { return }
        report.add(
            .multipleInstructionsDisallowed,
            "Multiple \(keyword) instructions should not be used in the same stage because only the last one will be "
                + "used",
            line: earlier.line, endLine: earlier.endLine, comments: located.comments)
    }

    private static func quotedList(_ words: [String]) -> String {
        "[" + words.map(goQuoted).joined(separator: " ") + "]"
    }

    /// A health check as BuildKit 0.24 writes it into the history: every field quoted, the retries as a character.
    private static func line(_ check: HealthCheck) -> String {
        let times = [check.interval, check.timeout, check.startPeriod, check.startInterval]
            .map { goQuoted(GoDuration.text($0)) }
        let retries = Unicode.Scalar(UInt32(clamping: check.retries)) ?? "\u{fffd}"
        let character = goQuoted(String(retries)).dropFirst().dropLast()
        return "HEALTHCHECK &{\(quotedList(check.test)) \(times.joined(separator: " ")) '\(character)'}"
    }

    /// `EXPOSE`, `USER`, `VOLUME`, `STOPSIGNAL`, `MAINTAINER`, `ONBUILD`.
    private mutating func setRest(_ located: Located<Instruction>, in place: Int) throws(Complaint) -> Outcome {
        switch located.value {
        case .expose(let ports):
            return try expose(ports, in: place, located)
        case .user(let user):
            let user = try expand(user, in: place, for: located)
            stages[place].image.config.user = user
            return Outcome(instruction: .user(user), text: "USER \(user)")
        case .volume(let volumes):
            let volumes = try expand(volumes, in: place, for: located)
            guard !volumes.contains("") else { throw Complaint("VOLUME specified can not be an empty string") }
            stages[place].image.config.volumes.formUnion(volumes)
            return Outcome(instruction: .volume(volumes), text: "VOLUME [\(volumes.joined(separator: " "))]")
        case .stopsignal(let name):
            let name = try expand(name, in: place, for: located)
            guard SignalName.isKnown(name) else { throw Complaint("invalid signal: \(name)") }
            stages[place].image.config.stopSignal = name
            return Outcome(instruction: .stopsignal(name), text: "STOPSIGNAL \(name)")
        case .maintainer(let author):
            stages[place].image.author = author
            return Outcome(instruction: located.value, text: "MAINTAINER \(author)")
        case .onbuild(let trigger):
            stages[place].image.config.onbuild.append(trigger)
            return Outcome(instruction: located.value)
        default:
            return Outcome(instruction: located.value)
        }
    }

    private mutating func expose(
        _ ports: [String], in place: Int, _ located: Located<Instruction>
    ) throws(Complaint) -> Outcome {
        var words: [String] = []
        var keys: [String] = []
        do throws(ShaleError) {
            for port in ports {
                words += try stages[place].variables.expander(escape: staged.escape).expandWords(port)
            }
            for word in words {
                let port = try PortSpecification(parsing: word)
                if port.hasUpperCaseProtocol {
                    report.add(
                        .exposeProtoCasing, "Defined protocol '\(word)' in EXPOSE instruction should be lowercase",
                        at: located)
                }
                keys += port.keys
            }
        } catch {
            throw Complaint(error.message)
        }
        stages[place].image.config.exposedPorts.formUnion(keys)
        return Outcome(instruction: .expose(words), text: "EXPOSE [\(keys.joined(separator: " "))]")
    }
}
