package import Basics
import Containers
import Dockerfiles
import Linux
package import OCI
import Stores

/// A build that stops between two instructions, and goes forward or back on request.
///
/// All earlier states are kept, so going back carries nothing out. The text of the Dockerfile may be changed meanwhile:
/// steps above the change that were carried out stay. Not thread-safe: one thread at a time may use it.
package final class SteppedBuild {
    /// The text of the Dockerfile, with edits.
    package private(set) var text: String
    /// The steps to carry out, in order: those of the stages that the target needs.
    package private(set) var steps: [BuildSequence.Step] = []
    /// The index of the next step; `steps.count` at the end.
    package private(set) var next = 0
    /// The container that the last step left when it was a `RUN` that failed.
    package private(set) var failedContainer: String?
    /// The images that were made and not found, in order; also those of steps that were gone back from.
    package private(set) var made: [Digest] = []

    private let engine: BuildEngine
    private let request: BuildRequest
    private var prepared: PreparedBuild
    private var sequence: BuildSequence
    private var tally = CacheTally()
    private var trace: BuildTrace
    /// The position before each step that was carried out, and the position now.
    private var positions: [BuildPosition]

    /// Reads the Dockerfile and opens the context.
    ///
    /// No step is carried out.
    ///
    /// Throws `notFound` when the context or the Dockerfile does not exist, `invalid` when the Dockerfile cannot be
    /// parsed,
    /// docker's error for a target that does not exist, and what fetching a remote context throws.
    package init(_ request: BuildRequest, engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        prepared = try PreparedBuild(request, engine: engine, operation)
        let engine = try engine.dated(for: prepared.file, request)
        self.engine = engine
        self.request = try request.opening(engine, operation)
        text = prepared.text
        sequence = try BuildSequence(
            prepared.file, target: request.target, labels: request.labels,
            overriding: request.takenNames)
        trace = BuildTrace(named: request.traceName)
        positions = [BuildPosition(arguments: request.startArguments(engine))]
        steps = try neededSteps(OperationContext())
        try engine.tellContext(prepared, request, operation)
        // The user may edit a file between two steps, so directories are always read again.
        prepared.context?.forgetSurvey()
    }

    package var fileName: String { prepared.fileName }

    /// The number of steps as docker counts them.
    package var stepCount: Int { sequence.count }

    /// The current state of the stage; its `image` is the image made so far.
    package var state: StageState? { positions[next].state }

    private func stageBuild(_ operation: OperationContext, before place: Int) -> StageBuild {
        StageBuild(
            sequence, prepared: prepared, engine: engine, request: request.steps(of: place, in: sequence.file),
            tally: tally, operation
        ) { [self] name throws(ShaleError) in
            guard let wanted = sequence.stage(named: name, before: place) else {
                if let misplaced = sequence.misplacement(of: name, in: place) { throw misplaced }
                return nil
            }
            return try finished(wanted, operation)
        }
    }

    /// The result of an earlier stage.
    ///
    /// A stage whose need the text did not show (an `ONBUILD` trigger of a base copies from it) is built now.
    private func finished(_ place: Int, _ operation: OperationContext) throws(ShaleError) -> FinishedStage {
        if let made = positions[next].stages[place] { return made }
        let stage = stageBuild(operation, before: place)
        var position = BuildPosition(arguments: positions[next].arguments)
        defer { made += stage.executor.made }
        for step in sequence.steps(of: place) { _ = try stage.perform(step, on: &position) }
        let end = FinishedStage(position.state, else: position.arguments)
        positions[next].stages[place] = end
        return end
    }

    private func neededSteps(_ operation: OperationContext) throws(ShaleError) -> [BuildSequence.Step] {
        let stage = stageBuild(operation, before: 0)
        var start = BuildPosition(arguments: request.startArguments(engine))
        for step in sequence.steps(of: nil) { _ = try stage.perform(step, on: &start) }
        let needs = sequence.file.stages[...sequence.target].map { written in
            let name = (try? stage.fileWords(start.arguments).expand(written.baseName).text) ?? written.baseName
            return sequence.dependencies(of: written.index, baseName: name)
        }
        let needed = Set(Builder.reachable(from: sequence.target, needs))
        return sequence.steps.filter { step in step.stage.map { needed.contains($0) } ?? true }
    }

    /// Carries out the next step.
    ///
    /// The caller must check that `next` is below `steps.count`.
    ///
    /// When the step fails it stays the next step, and a failed `RUN` sets `failedContainer`.
    ///
    /// Throws the step's error, and `notFound` after the last step.
    package func carryOut(_ operation: OperationContext) throws(ShaleError) -> StepOutcome {
        guard steps.indices.contains(next) else { throw ShaleError(.notFound, "no step is left to carry out") }
        let step = steps[next]
        let stage = stageBuild(operation, before: step.stage ?? 0)
        failedContainer = nil
        var position = positions[next]
        defer { made += stage.executor.made }
        do throws(ShaleError) {
            let outcome = try stage.perform(step, on: &position)
            if let place = step.stage {
                position.stages[place] = FinishedStage(position.state, else: position.arguments)
            }
            trace.add(step, outcome, engine.store.cache)
            positions.append(position)
            next += 1
            return outcome
        } catch {
            failedContainer = stage.executor.failedContainer
            throw error
        }
    }

    /// Goes back to the state before an earlier step.
    package func goBack(to place: Int) {
        next = max(0, min(place, next))
        positions = Array(positions[...next])
        failedContainer = nil
    }

    /// Replaces the text of the Dockerfile.
    ///
    /// Steps above the first difference stay carried out.
    ///
    /// Throws what parsing the new text throws; the old text is then kept.
    package func replaceText(_ text: String) throws(ShaleError) {
        let before = (prepared, sequence, self.text, steps)
        do throws(ShaleError) {
            prepared = try prepared.with(text: text)
            sequence = try BuildSequence(
                prepared.file, target: request.target, labels: request.labels,
                overriding: request.takenNames)
            self.text = text
            steps = try neededSteps(OperationContext())
        } catch {
            (prepared, sequence, self.text, steps) = before
            throw error
        }
        let same = zip(steps, before.3).prefix { $0.isSame(as: $1) }.count
        goBack(to: same)
    }

    /// Tags the finished image.
    ///
    /// Throws `invalid` when the build made no image, and what tagging the image throws.
    package func finish(_ operation: OperationContext) throws(ShaleError) -> BuildOutcome {
        trace.keep(in: engine.store.cache)
        guard let image = positions[next].state?.image else {
            throw ShaleError.noImageGenerated
        }
        return try engine.finish(image, request, operation)
    }

    /// Keeps the steps for `why-cache` when the build is left before its end.
    package func leave() { trace.keep(in: engine.store.cache) }

    /// The image for a shell that looks at the state so far; `nil` when there is none yet.
    ///
    /// With `failed` it is made from the failed container's files, and `isOwn` is true: the caller removes it after
    /// use.
    /// Otherwise it is the image of the last step.
    ///
    /// Throws what finding the failed container and committing it throw.
    package func imageToEnter(failed: Bool) throws(ShaleError) -> (image: Digest, isOwn: Bool)? {
        if failed, let failedContainer, !failedContainer.isEmpty {
            return (try engine.containers.imageToEnter(of: engine.store.containers.find(failedContainer)).id, true)
        }
        return state?.image.map { ($0.id, false) }
    }
}

extension BuildSequence.Step {
    /// Whether both steps have the same instruction in the same stage.
    fileprivate func isSame(as other: BuildSequence.Step) -> Bool {
        guard stage == other.stage, text == other.text else { return false }
        switch (action, other.action) {
        case (.instruction(let one), .instruction(let two)): return one.text == two.text
        default: return true
        }
    }
}
