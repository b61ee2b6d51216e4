package import Basics
import Containers
import Dockerfiles
import Linux
package import OCI
import Stores

/// A build that is stopped between two instructions, and goes forward or back on request.
///
/// Every state it was in is kept, so that going back costs nothing. The file's text may be changed on the way: what
/// stands above the change and was carried out stays. Used by one thread.
package final class SteppedBuild {
    /// The Dockerfile as it is now, edits included.
    package private(set) var text: String
    /// The steps that are carried out, in order: those of the stages the target needs.
    package private(set) var steps: [BuildSequence.Step] = []
    /// The place of the next one; `steps.count` at the end.
    package private(set) var next = 0
    /// The container that the last step left, if that was a `RUN` and failed.
    package private(set) var failedContainer: String?

    private let engine: BuildEngine
    private let request: BuildRequest
    private var prepared: PreparedBuild
    private var sequence: BuildSequence
    private var tally = CacheTally()
    private var trace: BuildTrace
    /// The position before each step that was carried out, and the position now.
    private var positions: [BuildPosition]

    /// Reads the Dockerfile and opens the context; nothing is carried out.
    ///
    /// Throws `notFound` when the context or the Dockerfile is not there, `invalid` when the Dockerfile cannot be
    /// parsed, docker's words for a target that is not there, and what fetching a remote context throws.
    package init(_ request: BuildRequest, engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        self.engine = engine
        self.request = try request.opening(engine, operation)
        prepared = try PreparedBuild(request, engine: engine, operation)
        text = prepared.text
        sequence = try BuildSequence(
            prepared.file, target: request.target, labels: request.labels,
            overriding: request.takenNames)
        trace = BuildTrace(named: request.traceName)
        positions = [BuildPosition(arguments: request.startArguments(engine))]
        steps = try neededSteps(OperationContext())
        try engine.tellContext(prepared, request, operation)
        // A file may be edited between two steps.
        prepared.context?.forgetSurvey()
    }

    package var fileName: String { prepared.fileName }

    /// How many docker counts.
    package var stepCount: Int { sequence.count }

    /// Where it stands; `image` in it is the state so far.
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

    /// A stage that is needed although no text says so, a base's `ONBUILD` copying from it, is built in between.
    private func finished(_ place: Int, _ operation: OperationContext) throws(ShaleError) -> FinishedStage {
        if let made = positions[next].stages[place] { return made }
        let stage = stageBuild(operation, before: place)
        var position = BuildPosition(arguments: positions[next].arguments)
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
    /// When it fails it is still the next one, and a failed `RUN` leaves `failedContainer`.
    ///
    /// Throws the step's error.
    package func carryOut(_ operation: OperationContext) throws(ShaleError) -> StepOutcome {
        let step = steps[next]
        let stage = stageBuild(operation, before: step.stage ?? 0)
        failedContainer = nil
        var position = positions[next]
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

    /// Goes back to the position before an earlier step.
    package func goBack(to place: Int) {
        next = max(0, min(place, next))
        positions = Array(positions[...next])
        failedContainer = nil
    }

    /// Takes another text for the Dockerfile; steps above the first that differs stay as they were carried out.
    ///
    /// Throws, and keeps the old text, when the new one cannot be understood.
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

    /// Names the finished image.
    ///
    /// Throws `invalid` when the build made no image, and what naming the image throws.
    package func finish(_ operation: OperationContext) throws(ShaleError) -> BuildOutcome {
        trace.keep(in: engine.store.cache)
        guard let image = positions[next].state?.image else {
            throw ShaleError(.invalid, "No image was generated. Is your Dockerfile empty?")
        }
        return try engine.finish(image, request, operation)
    }

    /// Keeps for `why-cache` what was carried out, when the build is left before its end.
    package func leave() { trace.keep(in: engine.store.cache) }

    /// The image that a shell enters to look at the state so far.
    ///
    /// It is made of the files of the failed container and for this use alone, or it is the image made last.
    ///
    /// `nil` where there is nothing yet.
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
    /// Whether it does the same at the same place of the build.
    fileprivate func isSame(as other: BuildSequence.Step) -> Bool {
        guard stage == other.stage, text == other.text else { return false }
        switch (action, other.action) {
        case (.instruction(let one), .instruction(let two)): return one.text == two.text
        default: return true
        }
    }
}
