import Basics
import Containers
import Dockerfiles
import Images
import Linux
import OCI
import Stores

// Instructions that change only the config, with the history text of docker's classic builder.
extension StepExecutor {
    func environment(
        _ pairs: [KeyValue], _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var comment = "ENV"
        for pair in try expanded(pairs, words, instruction: "ENV") {
            state.settings.setEnvironment(pair.key, pair.value)
            comment += " \(pair.key)=\(pair.value)"
        }
        return try commitSettings(comment, instruction: text, on: &state)
    }

    func labels(
        _ pairs: [KeyValue], _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var comment = "LABEL"
        var labels = state.settings.labels ?? [:]
        for pair in try expanded(pairs, words, instruction: "LABEL") {
            labels[pair.key] = pair.value
            comment += " \(pair.key)=\(pair.value)"
        }
        state.settings.labels = labels
        return try commitSettings(comment, instruction: text, on: &state)
    }

    /// Carries out `build --label`.
    ///
    /// Its text is used as it is, without expansion of variables.
    func label(_ name: String, _ value: String, on state: inout StageState) throws(ShaleError) -> InstructionResult {
        var labels = state.settings.labels ?? [:]
        labels[name] = value
        state.settings.labels = labels
        let comment = "LABEL \(name)=\(value)"
        source = "LABEL \(DockerfileWord.quoted(name))=\(DockerfileWord.quoted(value))"
        return try commitSettings(comment, instruction: comment, on: &state)
    }

    private func expanded(
        _ pairs: [KeyValue], _ words: WordExpander, instruction: String
    ) throws(ShaleError) -> [(key: String, value: String)] {
        var result: [(key: String, value: String)] = []
        for pair in pairs {
            let key = try words.expand(pair.key).text
            guard !key.isEmpty else { throw ShaleError(.invalid, "\(instruction) names can not be blank") }
            result.append((key, try words.expand(pair.value).text))
        }
        return result
    }

    func arguments(
        _ instruction: ArgInstruction, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var comment = "ARG"
        for argument in instruction.arguments {
            let key = try words.expand(argument.key).text
            var value: String?
            if let written = argument.value { value = try words.expand(written).text }
            state.arguments.declare(key, value)
            comment += " \(key)" + (value.map { "=\($0)" } ?? "")
        }
        return try commitSettings(comment, instruction: text, on: &state)
    }

    func command(_ line: CommandLine, _ text: String, _ state: inout StageState) throws(ShaleError) -> InstructionResult
    {
        let arguments = line.arguments(shell: state.shell)
        state.settings.cmd = arguments
        state.settings.argsEscaped = nil
        let result = try commitSettings("CMD \(GoFormat.quoted(arguments))", instruction: text, on: &state)
        if !arguments.isEmpty { state.hasOwnCommand = true }
        if line.usesShell == false, state.settings.entrypoint?.first == "/bin/sh", state.settings.entrypoint?.count == 3
        {
            operation.line(
                " ---> [Warning] Shell-form ENTRYPOINT and exec-form CMD may have unexpected results", .detail)
        }
        return result
    }

    func entrypoint(_ line: CommandLine, _ text: String, _ state: inout StageState) throws(ShaleError)
        -> InstructionResult
    {
        let arguments = line.arguments(shell: state.shell)
        state.settings.entrypoint = arguments
        // An inherited command was meant for the base's entrypoint.
        if !state.hasOwnCommand { state.settings.cmd = nil }
        return try commitSettings("ENTRYPOINT \(GoFormat.quoted(arguments))", instruction: text, on: &state)
    }

    func expose(
        _ ports: [String], _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var written: [String] = []
        for port in ports.sorted() { written += try words.expandWords(port) }
        var exposed = state.settings.exposedPorts ?? [:]
        for port in written {
            for key in try PortSpecification(parsing: port).keys { exposed[key] = EmptyObject() }
        }
        state.settings.exposedPorts = exposed
        return try commitSettings("EXPOSE \(written.joined(separator: " "))", instruction: text, on: &state)
    }

    func volumes(
        _ paths: [String], _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var expanded: [String] = []
        for path in paths {
            let path = try words.expand(path).text
            guard !path.isEmpty else { throw ShaleError(.invalid, "VOLUME specified can not be an empty string") }
            expanded.append(path)
        }
        var volumes = state.settings.volumes ?? [:]
        for path in expanded { volumes[path] = EmptyObject() }
        state.settings.volumes = volumes
        return try commitSettings("VOLUME \(GoFormat.plain(expanded))", instruction: text, on: &state)
    }

    func healthCheck(
        _ check: HealthCheck, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var health = HealthConfig(test: check.test)
        if check.test.first != "NONE" {
            health.interval = check.interval == 0 ? nil : check.interval
            health.timeout = check.timeout == 0 ? nil : check.timeout
            health.startPeriod = check.startPeriod == 0 ? nil : check.startPeriod
            health.startInterval = check.startInterval == 0 ? nil : check.startInterval
            health.retries = check.retries == 0 ? nil : check.retries
        }
        if let old = state.settings.healthcheck?.test, let first = old.first, first != "NONE" {
            operation.line("Note: overriding previous HEALTHCHECK: \(GoFormat.plain(old))")
        }
        state.settings.healthcheck = health
        let times = [check.interval, check.timeout, check.startPeriod].map { "\"\(GoDuration.text($0))\"" }
        let comment =
            "HEALTHCHECK &{\(GoFormat.quoted(check.test)) \(times.joined(separator: " ")) "
            + "\(GoFormat.quotedCharacter(check.retries))}"
        return try commitSettings(comment, instruction: text, on: &state)
    }

    func onBuild(_ trigger: String, _ text: String, _ state: inout StageState) throws(ShaleError) -> InstructionResult {
        state.settings.onBuild = (state.settings.onBuild ?? []) + [trigger]
        return try commitSettings("ONBUILD \(trigger)", instruction: text, on: &state)
    }

    /// Carries out `WORKDIR`: sets the directory, and creates it in a layer when it is missing.
    func workingDirectory(
        _ path: String, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        let written = try words.expand(path).text
        guard !written.isEmpty else { throw ShaleError(.invalid, "cannot normalize nothing") }
        let directory = ImagePath.workingDirectory(written, relativeTo: state.workingDirectory)
        state.settings.workingDir = directory
        let createdBy = (state.shell + ["#(nop) WORKDIR \(directory)"]).joined(separator: " ")
        let changed = state
        if let cached = reuse(createdBy, instruction: text, on: &state) { return cached }
        state = changed
        announceContainer(Identifier.random())
        let layer = try engine.images.changing(engine.lowerPaths(of: state), operation) { root throws(ShaleError) in
            let isDirectory = try translating("WORKDIR \(directory)") { () throws(SystemCallError) in
                // A link to a missing directory is followed: its target is created.
                try root.makeOwnedDirectories(directory, owner: .root)
                return try root.resolvedStatus(directory).kind == .directory
            }
            guard isDirectory else {
                throw ShaleError(.conflict, "Cannot mkdir: \(directory) is not a directory")
            }
        }
        return try finish(createdBy, instruction: text, layer: layer, on: &state)
    }
}
