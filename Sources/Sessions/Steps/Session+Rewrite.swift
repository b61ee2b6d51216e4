package import Basics
import Building
import Images
import OCI
import Recipes
import Stores

// Changes earlier steps, and carries the following steps out again, from the cache where possible.
extension Session {
    /// One instruction of a rewritten working image, and the folder in which its files are read.
    package struct Draft: Sendable {
        package var instruction: String {
            // A step with another text is a new step.
            didSet {
                (typed, place) = (nil, nil)
                isIncomplete = false
            }
        }
        package var directory: String
        /// The step itself when typed input made it.
        ///
        /// Then only its layer can be repeated.
        private(set) var typed: Step?
        /// Whether a secret of it is not known any more.
        private(set) var isIncomplete: Bool

        /// The index of the step, as long as its text is unchanged.
        fileprivate var place: Int?

        /// `spelling` is the instruction with its secrets; `nil` when they are not known any more.
        fileprivate init(_ step: Step, at place: Int, directory: String, spelling: String?) {
            instruction = spelling ?? step.instruction
            self.directory = step.directory ?? directory
            typed = step.isTyped == true ? step : nil
            isIncomplete = spelling == nil
            self.place = place
        }
    }

    /// The steps as drafts, which can be changed and carried out again.
    package func drafts(of working: WorkingImage, directory: String) -> [Draft] {
        working.steps.enumerated().map { Draft($1, at: $0, directory: directory, spelling: spelling(of: $1)) }
    }

    /// The index of a step by its number, from 1.
    ///
    /// Throws `notFound` for a number that no step has.
    package func requireStep(_ number: Int, of working: WorkingImage) throws(ShaleError) -> Int {
        guard (1...max(1, working.steps.count)).contains(number), !working.steps.isEmpty else {
            throw ShaleError(.notFound, "no step \(number): there are \(working.steps.count)", hint: "steps")
        }
        return number - 1
    }

    /// Carries out the steps on the working image's base, from the first one that changed.
    ///
    /// The journal is not written here.
    ///
    /// When a step fails, the working image does not change, and the container of the failed step is kept.
    ///
    /// Throws `notFound` for a step whose secrets are not known any more, `invalid` for a `FROM`, and what a step
    /// throws.
    package func rewrite(
        _ drafts: [Draft], of working: WorkingImage, failedContainer: inout String?, _ operation: OperationContext
    ) throws(ShaleError) -> StateChange {
        let same = drafts.enumerated().prefix { $0 == $1.place }.count
        var steps = Array(working.steps.prefix(same))
        for (index, draft) in drafts.enumerated().dropFirst(same) {
            operation.line("Step \(index + 1)/\(drafts.count) : \(Secrets.masked(draft.instruction).text)", .step)
            let sofar = WorkingImage(base: working.base, steps: steps, stages: working.stages)
            let taken: StepResult
            if let typed = draft.typed {
                taken = try repeated(typed, on: sofar, operation)
            } else if draft.isIncomplete {
                throw Self.secretIsLost(draft.instruction, number: index + 1)
            } else {
                taken = try take(
                    draft.instruction, on: sofar, directory: draft.directory, options: StepOptions(),
                    failedContainer: &failedContainer, operation)
            }
            guard case .step(let step) = taken.change else {
                throw ShaleError(.invalid, "FROM begins a working image and is no step in one")
            }
            operation.line(" ---> \(step.image.short)", .detail)
            steps.append(step)
        }
        return .rewrote(steps)
    }

    /// Repeats a step that typed input made: puts its layer on the current image.
    private func repeated(
        _ step: Step, on working: WorkingImage, _ operation: OperationContext
    ) throws(ShaleError) -> StepResult {
        let executor = StepExecutor(engine: engine.building, context: nil, operation)
        var state = try state(of: working)
        let start = Timestamp.now()
        let result = try executor.repeatLayer(
            of: engine.images.image(id: step.image), spelling(of: step) ?? step.instruction, summary: step.summary,
            on: &state)
        var again = step
        again.image = result.image.id
        again.wasCached = result.wasCached
        again.seconds = Timestamp.now().seconds(since: start)
        again.time = start
        return StepResult(image: result.image, result: result, change: .step(again))
    }

    /// Carries out the steps of a line again, because another process changed the working image meanwhile.
    ///
    /// Throws `conflict` when a step fails or the line rewrote earlier steps.
    func rebased(_ draft: JournalDraft) throws(ShaleError) -> JournalDraft {
        let isRewritten = draft.changes.contains { if case .rewrote = $0 { true } else { false } }
        guard var working, !isRewritten else {
            throw ShaleError(
                .conflict, "another shale changed the working image meanwhile", hint: "steps")
        }
        var draft = draft
        draft.base = working.image
        var failed: String?
        draft.changes = try draft.changes.map { change throws(ShaleError) in
            guard case .step(let step) = change else { return change }
            let taken: StepResult
            do throws(ShaleError) {
                taken =
                    step.isTyped == true
                    ? try repeated(step, on: working, OperationContext())
                    : try take(
                        step.instruction, on: working, directory: step.directory ?? draft.directory ?? "/",
                        options: StepOptions(), failedContainer: &failed, OperationContext())
            } catch {
                throw ShaleError(
                    .conflict, "another shale changed the working image meanwhile, and on it this fails",
                    cause: error.description, hint: "steps")
            }
            if case .step(let made) = taken.change { working.steps.append(made) }
            return taken.change
        }
        let table = sessions.takeChanges()
        if !table.arrived.isEmpty { draft.changes.append(.images(arrived: table.arrived, departed: [])) }
        draft.token = sessions.takeToken() ?? draft.token
        return draft
    }

    /// Makes a new session whose working image is that of a state of this session.
    ///
    /// Throws `conflict` for a session name that exists, and `notFound` for a missing state or a pruned image.
    package func fork(at state: Int, named name: String) throws(ShaleError) {
        try refresh()
        guard state == 0 || tree.nodes[state] != nil else {
            throw ShaleError(.notFound, "no state \(state)", hint: "timeline")
        }
        if let image = tree.nodes[state]?.image, try !engine.images.isThere(image) {
            throw ShaleError(
                .notFound, "the working image \(image.short) of state \(state) has been pruned", hint: "timeline")
        }
        // Names belong to the store and not to a session, so they are left out.
        let entries = tree.lineage(of: state).reversed().compactMap { node -> JournalEntry? in
            let changes = node.changes.filter(\.isOfWorkingImage)
            return changes.isEmpty ? nil : JournalEntry(time: node.time, line: node.line, changes: changes)
        }
        try NewSession(named: name, in: sessions).make(entries)
    }
}
