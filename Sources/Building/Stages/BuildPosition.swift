import Basics
import Dockerfiles
import Images
import OCI
package import Stores

/// The state of a build between two steps.
///
/// It is a value, so that going back means using an older value.
package struct BuildPosition: Sendable {
    /// The arguments declared before the first `FROM`, and the values the user gave.
    var arguments: BuildArguments
    /// The current stage; `nil` before the first `FROM`.
    package var state: StageState?
    /// The results of finished stages, by their index.
    var stages: [Int: FinishedStage] = [:]

    init(arguments: BuildArguments) { self.arguments = arguments }
}

/// The result of a stage.
///
/// `image` is `nil` when the stage made none.
struct FinishedStage: Sendable {
    var image: Image?
    var arguments: BuildArguments

    init(_ state: StageState?, else arguments: BuildArguments) {
        image = state?.image
        self.arguments = state?.arguments ?? arguments
    }
}

extension ShaleError {
    /// The error of a build whose target stage made no image.
    static var noImageGenerated: ShaleError {
        ShaleError(.invalid, "No image was generated. Is your Dockerfile empty?")
    }

    /// The error of a stage that is used and made no image.
    static func emptyStage(_ name: String) -> ShaleError {
        ShaleError(.notFound, "stage \(name) made no image: it is empty")
    }
}

/// The result of one step of a build.
package struct StepOutcome: Sendable {
    package var image: Image?
    /// `nil` for `FROM` and for an `ARG` above it.
    package var result: InstructionResult?
}

/// Carries out the steps of one stage, and reports progress in the lines of docker's classic builder.
///
/// Not thread-safe: one thread at a time may use it.
final class StageBuild {
    let sequence: BuildSequence
    let engine: BuildEngine
    let request: BuildRequest
    let fileName: String
    let operation: OperationContext
    let executor: StepExecutor
    private let stage: (String) throws(ShaleError) -> FinishedStage?
    private let watch: StepWatch

    /// `stage` finds an earlier stage by name or number; it returns `nil` for a name that is not a stage's name.
    init(
        _ sequence: BuildSequence, prepared: PreparedBuild, engine: BuildEngine, request: BuildRequest,
        tally: CacheTally,
        _ operation: OperationContext, stage: @escaping (String) throws(ShaleError) -> FinishedStage?
    ) {
        self.sequence = sequence
        self.engine = engine
        self.request = request
        self.stage = stage
        fileName = prepared.fileName
        let watch = StepWatch(request.observe)
        self.watch = watch
        self.operation = watch.listening(to: operation)
        executor = StepExecutor(
            engine: engine, options: request.steps, context: prepared.context, tally: tally, self.operation
        ) { name throws(ShaleError) in
            guard let finished = try stage(name) else { return nil }
            guard let image = finished.image else { throw ShaleError.emptyStage(name) }
            return image
        }
    }

    /// Carries out one step.
    ///
    /// When it fails, `position` does not change.
    ///
    /// Throws the step's error, with the place in the Dockerfile added.
    func perform(_ step: BuildSequence.Step, on position: inout BuildPosition) throws(ShaleError) -> StepOutcome {
        try operation.cancellation.check()
        watch.begin(step, of: sequence)
        operation.line("Step \(step.number)/\(sequence.count) : \(step.text)", .step)
        var next = position
        do throws(ShaleError) {
            let outcome = try carryOut(step, on: &next)
            position = next
            watch.end(step, outcome)
            return outcome
        } catch {
            let located = error.located(step, inFile: fileName)
            watch.fail(step, located, container: executor.failedContainer)
            throw located
        }
    }

    private func carryOut(
        _ step: BuildSequence.Step, on position: inout BuildPosition
    ) throws(ShaleError) -> StepOutcome {
        switch step.action {
        case .fileArgument(let argument):
            try declare(argument.value, in: &position)
            return StepOutcome()
        case .from(let stage):
            try begin(stage, on: &position)
            return StepOutcome(image: position.state?.image)
        case .instruction(let located):
            guard var state = position.state else { throw ShaleError(.invalid, "no build stage in current context") }
            let result = try executor.execute(located, escape: sequence.file.escape, on: &state)
            position.state = state
            operation.line(" ---> \(result.image.id.short)", .detail)
            return StepOutcome(image: result.image, result: result)
        case .label(let name, let value):
            guard var state = position.state else { throw ShaleError(.invalid, "no build stage in current context") }
            let result = try executor.label(name, value, on: &state)
            position.state = state
            operation.line(" ---> \(result.image.id.short)", .detail)
            return StepOutcome(image: result.image, result: result)
        }
    }

    private func declare(_ argument: ArgInstruction, in position: inout BuildPosition) throws(ShaleError) {
        for entry in argument.arguments {
            let words = fileWords(position.arguments)
            var value: String?
            if let written = entry.value { value = try words.expand(written).text }
            position.arguments.declareForFile(try words.expand(entry.key).text, value)
        }
    }

    /// An expander for the words of `FROM` and of the `ARG`s above it, which see only those arguments and the platform
    /// arguments.
    func fileWords(_ arguments: BuildArguments) -> WordExpander {
        WordExpander(escape: sequence.file.escape) { arguments.fileValue($0) }
    }

    /// Begins a stage (`FROM`): finds the base, and carries out its ONBUILD triggers.
    private func begin(_ stage: Stage, on position: inout BuildPosition) throws(ShaleError) {
        let words = fileWords(position.arguments)
        let name = try words.expand(stage.baseName).text
        guard !name.isEmpty else {
            throw ShaleError(.invalid, "base name (\(stage.baseName)) should not be blank")
        }
        var platform = request.platform
        if let written = stage.platform { platform = try Platform(parsing: words.expand(written).text) }
        position.arguments.beginStage()
        var state = try base(named: name, of: stage, platform: platform, arguments: position.arguments)
        try carryOutTriggers(on: &state)
        operation.line(" ---> \(state.image?.id.short ?? "")", .detail)
        position.state = state
    }

    private func base(
        named name: String, of user: Stage, platform: Platform?, arguments: BuildArguments
    ) throws(ShaleError) -> StageState {
        switch try request.steps.contexts?.opened(name, for: platform, operation) {
        case .image(let image): return StageState(from: image, arguments: arguments)
        case .folder(let folder):
            return try state(holding: folder, named: name, for: platform, arguments: arguments)
        case nil: break
        }
        // A later stage with that name does not count in `FROM`: the name then means an image.
        if sequence.stage(named: name, before: user.index) != nil, let earlier = try stage(name) {
            guard let image = earlier.image else { throw ShaleError.emptyStage(name) }
            var state = StageState(from: image, arguments: arguments)
            state.arguments.inherit(from: earlier.arguments)
            return state
        }
        if name == "scratch" {
            return StageState(scratchFor: platform ?? engine.settings.platform, arguments: arguments)
        }
        let image = try engine.images.ensureImage(
            name, platform: platform, among: request.steps.platforms, policy: request.pullsBases ? .always : .missing,
            announces: false, operation)
        var state = StageState(from: image, arguments: arguments)
        state.baseName = name
        return state
    }

    /// A stage whose base is the files of a folder.
    private func state(
        holding folder: BuildContext, named name: String, for platform: Platform?, arguments: BuildArguments
    ) throws(ShaleError) -> StageState {
        let copying = StepExecutor(engine: engine, options: request.steps, context: folder, operation)
        var state = StageState(scratchFor: platform ?? engine.settings.platform, arguments: arguments)
        let instruction: Located<Instruction>
        do throws(DockerfileError) {
            instruction = try Instruction.parse(line: "COPY . /")
        } catch {
            throw error.shaleError
        }
        _ = try copying.execute(instruction, on: &state)
        return state
    }

    private func carryOutTriggers(on state: inout StageState) throws(ShaleError) {
        guard let triggers = state.settings.onBuild, !triggers.isEmpty else { return }
        operation.line("# Executing \(triggers.count) build trigger\(triggers.count == 1 ? "" : "s")")
        state.settings.onBuild = nil
        for trigger in triggers {
            let instruction: Located<Instruction>
            do throws(DockerfileError) {
                instruction = try Instruction.parse(line: trigger)
            } catch {
                throw error.shaleError
            }
            _ = try executor.execute(instruction, escape: sequence.file.escape, on: &state)
        }
    }
}

extension ShaleError {
    /// The error of a step, with the instruction's place and text below it.
    func located(_ step: BuildSequence.Step, inFile name: String) -> ShaleError {
        guard code != .cancelled, step.line > 0 else { return self }
        var copy = self
        copy.message = "\(description)\n    \(name):\(step.line): \(step.text)"
        copy.cause = nil
        return copy
    }
}
