package import Basics
package import Dockerfiles

/// A Dockerfile as the steps that docker counts, up to the stage that is wanted.
package struct BuildSequence: Sendable {
    package enum Action: Sendable {
        /// An `ARG` before the first `FROM`.
        case fileArgument(Located<ArgInstruction>)
        case from(Stage)
        case instruction(Located<Instruction>)
        /// `--label`, at the end of the target.
        case label(name: String, value: String)
    }

    package struct Step: Sendable {
        /// As docker counts, from 1.
        package var number: Int
        /// `nil` before the first `FROM`.
        package var stage: Int?
        /// First and last line in the file; 0 for what is not in it.
        package var line: Int
        package var endLine: Int
        /// The instruction on one line.
        package var text: String
        package var action: Action
    }

    package let file: StagedFile
    /// The place of the wanted stage.
    package let target: Int
    /// Every step up to the target's last one, in the file's order.
    package let steps: [Step]
    /// How many docker counts: all of the file's, and the labels.
    package let count: Int
    /// Names that stand for something else than a stage (`--build-context`).
    private let overridden: Set<String>

    /// Throws docker's words for a target that is not there.
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

    /// The stages before a place that have a name or number; the last of one name counts.
    package func stage(named name: String, before place: Int) -> Int? {
        if !overridden.isEmpty, let key = NamedContext.key(of: name), overridden.contains(key) { return nil }
        let earlier = file.stages[..<place]
        let wanted = name.lowercased()
        if let named = earlier.lastIndex(where: { $0.name == wanted }) { return named }
        return Int(name).flatMap { earlier.indices.contains($0) ? $0 : nil }
    }

    /// The stages that one starts from, copies from or mounts, as far as its own text tells.
    ///
    /// `baseName` is its base with the variables replaced, `triggers` the ONBUILD triggers of an image of that name;
    /// those of an earlier stage are looked up here.
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

    /// Why a name that a stage copies from or mounts cannot be: a stage that comes later, or none of that number.
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

    /// Whether a stage's own text leads to an earlier one.
    private func needs(_ stage: Int, _ wanted: Int) -> Bool {
        if stage == wanted { return true }
        guard stage > wanted else { return false }
        return dependencies(of: stage, baseName: file.stages[stage].baseName).contains { needs($0, wanted) }
    }
}
