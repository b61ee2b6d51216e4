package import Basics
package import Building
import Dockerfiles
import Glibc
import Images
import OCI
import Recipes
package import Stores

/// The result of an instruction at the prompt.
package struct StepResult: Sendable {
    /// The image that is now `@`; `nil` after `FROM scratch`.
    package var image: Image?
    /// `nil` for `FROM`.
    package var result: InstructionResult?
    /// The state change of the instruction itself.
    package var change: StateChange
    /// For `FROM`: the base as it is named, and its image; `nil` for every other step and for `FROM scratch`.
    package var base: (name: String, image: Image)?
    /// For `FROM`: the results of the base's ONBUILD triggers.
    package var triggers: [StepResult] = []

    /// All state changes for the journal.
    package var changes: [StateChange] { [change] + triggers.map(\.change) }
}

extension Session {
    /// The working image, `@`.
    package var working: WorkingImage? { tree.working(at: tree.head) }

    /// The working image.
    ///
    /// Throws `notFound`, with a hint, when there is none.
    package func requireWorking() throws(ShaleError) -> WorkingImage {
        guard let working else {
            throw ShaleError(
                .notFound, "no working image yet", hint: "FROM busybox")
        }
        return working
    }

    /// Carries out one instruction on the working image.
    ///
    /// The journal is not written here: the caller records `changes` with the line. A step that fails changes nothing;
    /// a
    /// failed `RUN` leaves the container in `failedContainer`.
    ///
    /// Throws `denied` for a home that cannot be written to, `invalid` for a text that is no instruction, `notFound`
    /// for a
    /// step without a working image, and what the step throws.
    package func take(
        _ text: String, directory: String, options: StepOptions = StepOptions(), failedContainer: inout String?,
        _ operation: OperationContext
    ) throws(ShaleError) -> StepResult {
        // A step that the journal could not record must not be carried out.
        try folder.requireWritable()
        let located: Located<Instruction>
        do throws(DockerfileError) {
            located = try Instruction.parse(line: text)
        } catch {
            throw ShaleError(.invalid, error.message)
        }
        if case .from(let from) = located.value {
            return try begin(
                from, text: text, directory: directory, options: options, failedContainer: &failedContainer, operation)
        }
        return try take(
            text, on: requireWorking(), directory: directory, options: options, failedContainer: &failedContainer,
            operation)
    }

    /// Carries out one instruction on a working image that need not be the current one.
    func take(
        _ text: String, on working: WorkingImage, directory: String, options: StepOptions,
        failedContainer: inout String?, _ operation: OperationContext
    ) throws(ShaleError) -> StepResult {
        let located: Located<Instruction>
        do throws(DockerfileError) {
            located = try Instruction.parse(line: text)
        } catch {
            throw ShaleError(.invalid, error.message)
        }
        let context = try engine.building.context(of: directory)
        let executor = StepExecutor(engine: engine.building, options: options, context: context, operation) {
            [engine] name throws(ShaleError) in
            guard let image = working.stages[name.lowercased()] else { return nil }
            return try engine.images.image(id: image)
        }
        defer { failedContainer = executor.failedContainer }
        var state = try state(of: working)
        let start = Timestamp.now()
        let result = try executor.execute(located, on: &state)
        let step = Step(
            instruction: text, image: result.image.id, summary: result.summary, wasCached: result.wasCached,
            seconds: Timestamp.now().seconds(since: start), time: start,
            directory: result.copied.isEmpty ? nil : directory, copied: result.copied)
        return StepResult(image: result.image, result: result, change: .step(step))
    }

    private func begin(
        _ from: FromInstruction, text: String, directory: String, options: StepOptions,
        failedContainer: inout String?, _ operation: OperationContext
    ) throws(ShaleError) -> StepResult {
        var platform: Platform?
        if let written = from.platform { platform = try Platform(parsing: written) }
        var image: Image?
        if let stage = working?.stages[from.baseName.lowercased()] {
            image = try engine.images.image(id: stage)
        } else if from.baseName != "scratch" {
            image = try engine.images.ensureImage(from.baseName, platform: platform, policy: .missing, operation)
        }
        let base = WorkingBase(instruction: text, image: image?.id, stage: from.stageName)
        var taken = StepResult(image: image, result: nil, change: .began(base))
        taken.base = image.map { (from.baseName, $0) }
        var begun = WorkingImage(base: base, steps: [], stages: working?.stages ?? [:])
        for trigger in image?.containerConfig.onBuild ?? [] {
            let step = try take(
                trigger, on: begun, directory: directory, options: options, failedContainer: &failedContainer, operation
            )
            if case .step(let made) = step.change { begun.steps.append(made) }
            taken.triggers.append(step)
            taken.image = step.image
        }
        return taken
    }

    /// Whether an instruction may be an `ARG` or a `CMD`, or begins with a comment.
    ///
    /// The others need not be parsed, and there may be thousands.
    private static func mayTell(_ instruction: String) -> Bool {
        let word = instruction.utf8.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.prefix(3).map { $0 & 0xDF }
        return word.elementsEqual("ARG".utf8) || word.elementsEqual("CMD".utf8) || word.first == 3
    }

    /// The builder's state for a working image: its build arguments, and whether it set a command.
    func state(of working: WorkingImage) throws(ShaleError) -> StageState {
        let arguments = BuildArguments(
            given: [:],
            automatic: BuildArguments.platforms(target: engine.settings.platform, build: engine.settings.platform))
        var state: StageState
        if let id = working.image {
            state = StageState(from: try engine.images.image(id: id), arguments: arguments)
        } else {
            state = StageState(scratchFor: engine.settings.platform, arguments: arguments)
        }
        if case .from(let from)? = (try? Instruction.parse(line: working.base.instruction))?.value {
            state.baseName = from.baseName
        }
        // `FROM` has carried out its base's triggers, so they are not in the next image.
        if working.steps.isEmpty { state.settings.onBuild = nil }
        for (index, step) in working.steps.enumerated() where Self.mayTell(step.instruction) {
            let spelling = spelling(of: step)
            guard let parsed = try? Instruction.parse(line: spelling ?? step.instruction) else { continue }
            switch parsed.value {
            case .arg(let argument):
                // Without the secret the following steps would get *** as its value.
                if spelling == nil { throw Self.secretIsLost(step.instruction, number: index + 1) }
                let words = WordExpander(environment: state.variables)
                for entry in argument.arguments {
                    state.arguments.declare(
                        entry.key,
                        try entry.value.map { text throws(ShaleError) in
                            try words.expand(text).text
                        })
                }
            case .cmd(let line) where !line.words.isEmpty: state.hasOwnCommand = true
            default: break
            }
        }
        return state
    }
}
