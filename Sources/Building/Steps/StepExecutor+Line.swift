package import Basics
package import Containers
import Dockerfiles
import FoundationEssentials
import Glibc
package import Images
import Layers
import Linux
import OCI
import Runtime
package import Stores

/// One line of a recorded shell: what runs, and what is recorded.
package struct LineRequest: Sendable {
    /// The `RUN` instruction that has the same effect as the line.
    package var instruction: String
    /// The `RUN` to record when the line fails; `nil` drops the line's changes.
    package var failedInstruction: String?
    /// The script that runs in place of the instruction; it leaves a report in `folder`.
    package var script: String
    /// The path of the report's folder in the container, below `/dev`.
    package var folder: String
    /// The line as it was typed.
    package var line: String
    package var person: PersonAtStep
    /// Whether the line read typed input while it ran, so that it cannot be repeated.
    ///
    /// `unread` is the number of typed bytes that it did not read.
    package var wasAnswered: @Sendable (_ unread: Int) -> Bool

    package init(
        instruction: String, failedInstruction: String?, script: String, folder: String, line: String,
        person: PersonAtStep, wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool
    ) {
        self.instruction = instruction
        self.failedInstruction = failedInstruction
        self.script = script
        self.folder = folder
        self.line = line
        self.person = person
        self.wasAnswered = wasAnswered
    }
}

/// The result of a line.
package struct LineOutcome: Sendable {
    package var exitStatus: Int32
    /// The step that the line became; `nil` when it changed no file or failed.
    package var result: InstructionResult?
    /// The instruction of `result`.
    package var instruction: String?
    /// Whether the line read typed input.
    ///
    /// Only its layer can then be repeated, not its instruction.
    package var isTyped = false
    /// The changes of the line, when they were dropped.
    package var dropped: StepSummary = .none
    /// The files that the line's shell left in the report's folder, by name.
    package var report: [String: [UInt8]] = [:]
    /// What the user typed while the line ran and the line did not read.
    package var typedAhead: [UInt8] = []
}

extension StepExecutor {
    /// Runs one line of a recorded shell on the stage's files, and makes a step of it when it changed files.
    ///
    /// A line that fails is not an error: its exit status is in the outcome, and its changes are dropped unless
    /// `failedInstruction` is set. Throws when the line could not be run, and what making the layer or image throws.
    package func enter(_ line: LineRequest, on state: inout StageState) throws(ShaleError) -> LineOutcome {
        let run = try Self.runInstruction(line.instruction)
        source = line.instruction
        escape = "\\"
        isRun = true
        inputs = ""
        linkKey = nil
        let created = historyOfRun(try Self.arguments(of: run, state), text: run, state)
        let reportKey = Digest.of("report of \(key(created, on: state))".utf8)
        if let bytes = engine.store.cache.value(.build, reportKey),
            let report = try? JSONDecoder().decode([String: Data].self, from: Data(bytes)),
            let cached = reuse(created, instruction: line.instruction, on: &state)
        {
            return LineOutcome(
                exitStatus: 0, result: cached, instruction: line.instruction, report: report.mapValues { Array($0) })
        }
        let staging = try engine.store.layers.beginUnpack()
        var isCommitted = false
        defer { if !isCommitted { engine.store.layers.discard(staging) } }
        let lowers = try engine.rootPaths(of: state)
        let (status, stubs, left) = try start(line, lowers: lowers, staging: staging, on: state)
        var outcome = LineOutcome(exitStatus: status)
        outcome.report = left.files
        outcome.typedAhead = left.typedAhead
        outcome.isTyped = line.wasAnswered(outcome.typedAhead.count)
        let instruction = status == 0 ? line.instruction : line.failedInstruction
        guard let instruction else {
            outcome.dropped = try changes(in: staging, over: lowers, stubs: stubs)
            return outcome
        }
        guard try !changes(in: staging, over: lowers, stubs: stubs).isEmpty,
            let layer = try engine.images.makeLayer(
                staging, over: engine.images.directories(lowers), stubs: stubs, operation)
        else { return outcome }
        isCommitted = true
        source = instruction
        let kept = try Self.runInstruction(instruction)
        let text = historyOfRun(try Self.arguments(of: kept, state), text: kept, state)
        outcome.result = try finish(
            text, instruction: instruction, layer: layer,
            origin: outcome.isTyped ? .typed(line: line.line) : nil, on: &state)
        outcome.instruction = instruction
        if !outcome.isTyped, status == 0 {
            let bytes = try OCIDocument.encode(outcome.report.mapValues { Data($0) })
            try engine.store.cache.set(.build, reportKey, to: Array(bytes))
        }
        return outcome
    }

    /// Puts the top layer of an image on the stage's files.
    ///
    /// Used for an image that a line with typed input made.
    ///
    /// Throws `notFound` when the image has no provenance any more, and what making the new image throws.
    package func repeatLayer(
        of made: Image, _ instruction: String, summary: StepSummary, on state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        guard let story = try engine.images.provenance(of: made.id), let blob = made.manifest.layers.last,
            let diffID = made.config.rootfs.diffIDs.last
        else { throw ShaleError(.notFound, "image \(made.id.short): how it was made is not known any more") }
        if story.parent == state.image?.id {
            state.advance(to: made)
            return InstructionResult(image: made, wasCached: true, summary: summary)
        }
        let created = made.config.history?.last?.createdBy ?? instruction
        return try finish(
            created, instruction: instruction, layer: StepLayer(descriptor: blob, diffID: diffID, summary: summary),
            origin: story.origin, on: &state)
    }

    private static func runInstruction(_ text: String) throws(ShaleError) -> RunInstruction {
        do throws(DockerfileError) {
            if case .run(let run) = try Instruction.parse(line: text).value { return run }
        } catch {
            throw ShaleError(.invalid, error.message)
        }
        throw ShaleError(.invalid, "\(text.visible): not a RUN")
    }

    private static func arguments(of run: RunInstruction, _ state: StageState) throws(ShaleError) -> [String] {
        guard case .command(let command) = run.script else {
            throw ShaleError(.invalid, "a line is no file of its own")
        }
        return command.arguments(shell: state.shell)
    }

    /// Runs the line's script with `staging` as the upper directory; returns its exit status and its shell's report.
    private func start(
        _ line: LineRequest, lowers: [String], staging: LayerStaging, on state: StageState
    ) throws(ShaleError) -> (status: Int32, stubs: Set<String>, left: LineReport) {
        try staging.makeWorkFolder()
        let folder = try ScratchFolder(in: engine.store)
        try translating(folder.path) { try Linux.check("chmod") { chmod(folder.path, 0o777) } }
        var mounts = StepMounts()
        try mounts.addVolumes(of: state, engine, operation)
        var process = StagedProcess(
            id: Identifier.random(), arguments: state.shell + [line.script], environment: Self.environment(of: state),
            workingDirectory: state.workingDirectory, user: state.settings.user ?? "", network: options.network,
            host: options.host)
        process.mounts = mounts.binds + [BindMount(source: folder.path, destination: line.folder)]
        process.temporaryMounts = mounts.temporaries
        process.person = line.person
        process.person?.typedAhead = "\(line.folder)/\(LineReport.typedAheadName)"
        let outcome = try engine.runInStaging(process, lowers: lowers, staging: staging, operation)
        try operation.cancellation.check()
        return (
            outcome.exitStatus, outcome.stubs.subtracting(mounts.volumePlaces), LineReport(in: folder.path)
        )
    }

    /// The changes of a line.
    ///
    /// A directory whose entries changed but that itself did not is not counted.
    private func changes(
        in staging: LayerStaging, over lowers: [String], stubs: Set<String>
    ) throws(ShaleError) -> StepSummary {
        let changes = try ChangeFinder(
            upper: staging.root(), lowers: engine.images.directories(lowers), form: engine.form, ignoring: stubs
        ).changes(cancellation: operation.cancellation)
        let files = changes.filter { !$0.isParentOnly }
        return StepSummary(files, bytes: files.contentBytes)
    }
}
