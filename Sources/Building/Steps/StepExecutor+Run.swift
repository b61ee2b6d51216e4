import Basics
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Runtime
import Stores

extension StepExecutor {
    /// Carries out `RUN`: runs the command on the stage's files and makes a layer of its changes.
    ///
    /// When the command fails, throws an error with its exit status, and keeps a container with its changes
    /// (`failedContainer`); the stage's state does not change.
    func run(
        _ run: RunInstruction, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        try refuse(run)
        let written: CommandLine
        switch run.script {
        case .command(let line): written = line
        case .file(let name, let content):
            written = CommandLine(words: ["<<\(name)\n\(content)\(name)"], usesShell: true)
        }
        let created = historyOfRun(written.arguments(shell: state.shell), text: run, state)
        var mounts = try plannedMounts(of: run, words, state)
        if let cached = find(created, instruction: text, on: &state) { return cached }
        if mounts.isFromSurvey {
            // As for a copy, the files at the time of the step count.
            context?.forgetSurvey()
            mounts = try plannedMounts(of: run, words, state)
            if let cached = find(created, instruction: text, on: &state) { return cached }
        }
        explainMiss(created, instruction: text, files: nil, on: state)
        try requireProcessor(state)
        var command = written
        if case .file(let name, let content) = run.script {
            // The script is mounted in the container's own /dev, so it is not part of any layer.
            command = CommandLine(words: [try mounts.add(script: content, named: name, engine)], usesShell: true)
        }
        let arguments = command.arguments(shell: state.shell)
        guard !arguments.isEmpty else { throw ShaleError(.invalid, "no command specified") }
        try mounts.prepare(engine, operation)
        let id = Identifier.random()
        operation.line(" ---> Running in \(Identifier.short(id))", .detail)
        try mounts.addVolumes(of: state, engine, operation)
        let layer = try carryOut(
            arguments, environment: Self.environment(of: state) + mounts.variables, container: id,
            network: run.network, mounts, on: state)
        announceRemoval(id)
        return try finish(created, instruction: text, layer: layer, on: &state)
    }

    /// Throws `unsupported` where a platform was asked for whose programs this machine does not start.
    ///
    /// Without `--platform` a base that says another processor than its programs are for runs as with docker.
    private func requireProcessor(_ state: StageState) throws(ShaleError) {
        guard let wanted = options.platform, !Emulator.isOwn(wanted.architecture),
            !Emulator.canRun(state.config.architecture)
        else { return }
        throw Emulator.missing(for: "\(state.config.platform)")
    }

    /// A step's mounts, looked at for the cache's key.
    private func plannedMounts(
        of run: RunInstruction, _ words: WordExpander, _ state: StageState
    ) throws(ShaleError) -> StepMounts {
        var mounts = StepMounts()
        for text in run.mounts { try addMount(RunMount(parsing: words.expand(text).text), to: &mounts, state) }
        inputs = mounts.cacheText
        return mounts
    }

    /// The environment of a step's process: the image's variables, and build arguments that they do not override.
    static func environment(of state: StageState) -> [String] {
        let own = state.settings.env ?? []
        let names = state.settings.environmentNames
        let added = state.arguments.values.merging(state.arguments.proxies) { declared, _ in declared }
            .filter { !names.contains($0.key) }
            .map { "\($0.key)=\($0.value)" }.sorted()
        return own + added
    }

    /// The build arguments that a step's process sees: those that the image's variables do not override.
    static func arguments(of state: StageState) -> [String: String] {
        let names = state.settings.environmentNames
        return state.arguments.values.filter { !names.contains($0.key) }
    }

    /// The history text of a `RUN`.
    ///
    /// Build arguments in force come first, as `|2 a=1 b=2`.
    func historyOfRun(_ arguments: [String], text run: RunInstruction, _ state: StageState) -> String {
        let values = Self.arguments(of: state)
        let line = arguments.joined(separator: " ")
        guard !values.isEmpty || !state.arguments.proxies.isEmpty else { return line }
        let pairs = values.map { "\($0.key)=\($0.value)" }.sorted()
        return (["|\(pairs.count)"] + pairs + [line]).joined(separator: " ")
    }

    private func refuse(_ run: RunInstruction) throws(ShaleError) {
        if run.security == "insecure" {
            // The wording of a BuildKit daemon without that entitlement.
            throw ShaleError(.denied, "failed to load LLB: security.insecure is not allowed")
        }
        if run.network == "host", !options.allowsHostNetwork {
            throw ShaleError(
                .denied, "failed to load LLB: network.host is not allowed", hint: "build --allow network.host …")
        }
        for text in run.devices {
            guard let device = try? RunDevice(reading: text) else { continue }
            if device.isRequired {
                let name = GoFormat.quoted(device.name)
                throw ShaleError(.notFound, "failed to load LLB: required device \(name) is not registered")
            }
        }
    }

    /// Runs the process.
    ///
    /// A command that cannot be started gets exit status 1, as in docker's builder.
    private func start(
        _ process: StagedProcess, lowers: [String], staging: LayerStaging
    ) throws(ShaleError) -> StagedOutcome {
        do throws(ShaleError) {
            return try engine.runInStaging(process, lowers: lowers, staging: staging, operation)
        } catch {
            var told = error
            if error.code != .cancelled { told.exitStatus = told.exitStatus ?? 1 }
            throw told
        }
    }

    private func carryOut(
        _ arguments: [String], environment: [String], container id: String, network: String, _ mounts: StepMounts,
        on state: StageState
    ) throws(ShaleError) -> StepLayer? {
        let paths = try engine.rootPaths(of: state)
        let staging = try engine.store.layers.beginUnpack()
        try staging.makeWorkFolder()
        var keepsStaging = false
        defer { if !keepsStaging { engine.store.layers.discard(staging) } }
        var process = StagedProcess(
            id: id, arguments: arguments, environment: environment, workingDirectory: state.workingDirectory,
            user: state.settings.user ?? "", network: network == "default" ? options.network : network,
            host: options.host)
        process.mounts = mounts.binds
        process.temporaryMounts = mounts.temporaries
        process.cgroupParent = options.cgroupParent
        process.host.shmSize = mounts.sharedMemory ?? options.host.shmSize
        let started = Timestamp.now()
        var outcome = try start(process, lowers: paths, staging: staging)
        // The mount points of volumes stay in the layer, as in docker.
        outcome.stubs.subtract(mounts.volumePlaces)
        try operation.cancellation.check()
        guard outcome.exitStatus == 0 else {
            do throws(ShaleError) {
                failedContainer = try engine.keepFailedStep(
                    id: id, image: state.image, settings: state.settings, arguments: arguments, staging: staging,
                    outcome: outcome, started: started)
                keepsStaging = true
            } catch {
                // The command's failure is what a person must read.
                operation.note("its container could not be kept: \(error)")
            }
            throw ShaleError(
                .engine,
                "The command '\(Secrets.masked(arguments.joined(separator: " ")).text)' returned a non-zero code: \(outcome.exitStatus)",
                exitStatus: outcome.exitStatus)
        }
        return try engine.images.makeLayer(
            staging, over: engine.images.directories(paths), stubs: outcome.stubs, operation)
    }
}
