package import Basics
package import Dockerfiles

/// The steps of a Dockerfile as docker counts them, up to the target stage.
package struct BuildSequence: Sendable {
    package enum Action: Sendable {
        /// An `ARG` before the first `FROM`.
        case fileArgument(Located<ArgInstruction>)
        case from(Stage)
        case instruction(Located<Instruction>)
        /// A `--label`, added at the end of the target stage.
        case label(name: String, value: String)
    }

    package struct Step: Sendable {
        /// The number as docker counts, from 1.
        package var number: Int
        /// `nil` before the first `FROM`.
        package var stage: Int?
        /// First and last line in the file; 0 for a step that is not in the file.
        package var line: Int
        package var endLine: Int
        /// The instruction as one line.
        package var text: String
        package var action: Action
    }

    package let file: StagedFile
    /// The index of the target stage.
    package let target: Int
    /// All steps up to the target's last step, in the file's order.
    package let steps: [Step]
    /// The number of steps as docker counts them: all steps of the file, and the labels.
    package let count: Int
    /// Names that do not mean a stage, because `--build-context` replaces them.
    private let overridden: Set<String>

    /// Throws `invalid` or `notFound`, in docker's wording, for a target that does not exist.
    package init(
        _ file: StagedFile, target name: String?, labels: [String: String], overriding overridden: Set<String> = []
    ) throws(ShaleError) {
        self.file = file
        self.overridden = overridden
        target = try file.stageIndex(target: name)
        var steps: [Step] = []
        func add(_ action: Action, _ text: String, stage: Int?, line: Int, endLine: Int) {
            steps.append(
                Step(
                    number: steps.count + 1, stage: stage, line: line, endLine: endLine, text: text, action: action))
        }
        for argument in file.metaArguments {
            add(
                .fileArgument(argument), argument.original, stage: nil, line: argument.line, endLine: argument.endLine)
        }
        for stage in file.stages[...target] {
            add(.from(stage), stage.original, stage: stage.index, line: stage.line, endLine: stage.from.endLine)
            for located in stage.instructions {
                add(
                    .instruction(located), located.original, stage: stage.index, line: located.line,
                    endLine: located.endLine)
            }
        }
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            add(.label(name: name, value: value), "LABEL \(name)=\(value)", stage: target, line: 0, endLine: 0)
        }
        self.steps = steps
        count = file.stepCount + labels.count
    }

    package func steps(of stage: Int?) -> [Step] { steps.filter { $0.stage == stage } }

    /// The index of the stage before `place` with a name or number; the last stage of that name counts.
    package func stage(named name: String, before place: Int) -> Int? {
        if !overridden.isEmpty, let key = NamedContext.key(of: name), overridden.contains(key) { return nil }
        let earlier = file.stages[..<place]
        let wanted = name.lowercased()
        if let named = earlier.lastIndex(where: { $0.name == wanted }) { return named }
        return Int(name).flatMap { earlier.indices.contains($0) ? $0 : nil }
    }

    /// The stages that a stage starts from, copies from or mounts, as far as its text shows.
    ///
    /// `baseName` is its base after expansion of variables. `triggers` are the ONBUILD triggers of the image of that
    /// name.
    /// When the base is an earlier stage, the triggers are read from that stage.
    package func dependencies(of place: Int, baseName: String, triggers: [String] = []) -> Set<Int> {
        var names = [baseName]
        var inherited = triggers
        for located in stage(named: baseName, before: place).map({ file.stages[$0].instructions }) ?? [] {
            if case .onbuild(let trigger) = located.value { inherited.append(trigger) }
        }
        let own = file.stages[place].instructions.map(\.value)
        for instruction in own + inherited.compactMap({ try? Instruction.parse(line: $0).value }) {
            switch instruction {
            case .copy(let copy): if let from = copy.from { names.append(from) }
            case .run(let run): names += run.mounts.compactMap { RunMount.from(in: $0) }
            default: break
            }
        }
        return Set(names.compactMap { stage(named: $0, before: place) })
    }

    /// The error for a name that a stage copies from or mounts, when it means this stage, a later stage, or a number
    /// that is
    /// no stage; `nil` otherwise.
    package func misplacement(of name: String, in place: Int) -> ShaleError? {
        if let index = Int(name) {
            guard !file.stages[..<place].indices.contains(index) else { return nil }
            let words = index == place ? "refers to current build stage" : "index out of bounds"
            return ShaleError(.invalid, "invalid from flag value \(name): \(words)")
        }
        let wanted = name.lowercased()
        guard let later = file.stages[place...].firstIndex(where: { $0.name == wanted }) else { return nil }
        let own = file.stages[place].name ?? "stage-\(place)"
        if needs(later, place) {
            return ShaleError(.invalid, "circular dependency detected on stage: \(own)")
        }
        return ShaleError(
            .invalid,
            "cannot copy from stage \(GoFormat.quoted(name)), it needs to be defined before current stage "
                + GoFormat.quoted(own))
    }

    /// Whether a stage depends on another stage, directly or through others.
    private func needs(_ stage: Int, _ wanted: Int) -> Bool {
        if stage == wanted { return true }
        guard stage > wanted else { return false }
        return dependencies(of: stage, baseName: file.stages[stage].baseName).contains { needs($0, wanted) }
    }
}
