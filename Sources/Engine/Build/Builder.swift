package import Basics
package import Dockerfiles
import OCI
package import Stores

/// One run through a Dockerfile: stages in order, each step as docker's classic builder prints it.
///
/// `execute` is called for every instruction, so that stepping and replay can stand between two of them.
package final class Builder {
    package let file: StagedFile
    let engine: Engine
    let request: BuildRequest
    let talk: Conversation
    let executor: StepExecutor
    private let stages: StageTable
    private var arguments: BuildArguments
    private var step = 0

    package init(
        file: StagedFile, engine: Engine, request: BuildRequest, context: BuildContext?, _ talk: Conversation
    ) {
        self.file = file
        self.engine = engine
        self.request = request
        self.talk = talk
        arguments = BuildArguments(given: request.arguments)
        let stages = StageTable()
        self.stages = stages
        executor = StepExecutor(engine: engine, options: request.steps, context: context, talk) { name in
            stages.image(named: name)
        }
    }

    /// The container that a failed `RUN` left.
    package var failedContainer: String? { executor.failedContainer }

    /// Builds up to the target and answers its image.
    package func run() throws(ShaleError) -> Image {
        let target = try file.stageIndex(target: request.target)
        for argument in file.metaArguments { try declare(argument) }
        var image: Image?
        for stage in file.stages[...target] {
            image = try build(stage, isTarget: stage.index == target)
            stages.add(image, index: stage.index, name: stage.name)
        }
        guard let image else { throw ShaleError(.invalid, "No image was generated. Is your Dockerfile empty?") }
        let unconsumed = arguments.unconsumed
        if !unconsumed.isEmpty {
            talk.note("[Warning] One or more build-args \(GoFormat.plain(unconsumed)) were not consumed")
        }
        return image
    }

    private var stepCount: Int { file.stepCount + request.labels.count }

    private func announce(_ original: String) throws(ShaleError) {
        try talk.cancellation.check()
        step += 1
        talk.line("Step \(step)/\(stepCount) : \(original)")
    }

    private func declare(_ argument: Located<ArgInstruction>) throws(ShaleError) {
        try announce(argument.original)
        for entry in argument.value.arguments {
            let words = fileWords
            var value: String?
            if let written = entry.value { value = try words.expand(written).text }
            arguments.declareForFile(try words.expand(entry.key).text, value)
        }
    }

    /// Words of `FROM` and of the arguments above it see those arguments alone, and the platform ones.
    private var fileWords: WordExpander {
        let known = arguments
        let platform = request.platform ?? engine.settings.platform
        return WordExpander(escape: file.escape) { name in
            if let value = known.fileValue(name) { return value }
            return switch name {
            case "TARGETPLATFORM", "BUILDPLATFORM": platform.description
            case "TARGETOS", "BUILDOS": platform.os
            case "TARGETARCH", "BUILDARCH": platform.architecture
            case "TARGETVARIANT", "BUILDVARIANT": platform.variant ?? ""
            default: nil
            }
        }
    }

    private func build(_ stage: Stage, isTarget: Bool) throws(ShaleError) -> Image? {
        var state = try begin(stage)
        for instruction in stage.instructions {
            try announce(instruction.original)
            _ = try executor.execute(instruction, escape: file.escape, on: &state)
            talk.line(" ---> \(state.image?.id.short ?? "")")
        }
        if isTarget {
            for (name, value) in request.labels.sorted(by: { $0.key < $1.key }) {
                try announce("LABEL \(name)=\(value)")
                _ = try executor.label(name, value, on: &state)
                talk.line(" ---> \(state.image?.id.short ?? "")")
            }
        }
        arguments = state.arguments
        return state.image
    }

    /// `FROM`: finds the base, and carries out what it left for its heirs.
    private func begin(_ stage: Stage) throws(ShaleError) -> StageState {
        try announce(stage.original)
        arguments.beginStage()
        let name = try fileWords.expand(stage.baseName).text
        guard !name.isEmpty else {
            throw ShaleError(.invalid, "base name (\(stage.baseName)) should not be blank")
        }
        var platform = request.platform
        if let written = stage.platform { platform = try Platform(parsing: fileWords.expand(written).text) }
        var state = try base(named: name, platform: platform)
        try carryOutTriggers(on: &state)
        talk.line(" ---> \(state.image?.id.short ?? "")")
        return state
    }

    private func base(named name: String, platform: Platform?) throws(ShaleError) -> StageState {
        if let earlier = stages.image(named: name) { return StageState(from: earlier, arguments: arguments) }
        if name == "scratch" {
            return StageState(scratchFor: platform ?? engine.settings.platform, arguments: arguments)
        }
        let image = try engine.ensureImage(
            name, platform: platform, policy: request.pullsBases ? .always : .missing, announces: false,
            talk)
        var state = StageState(from: image, arguments: arguments)
        state.baseName = name
        return state
    }

    private func carryOutTriggers(on state: inout StageState) throws(ShaleError) {
        guard let triggers = state.settings.onBuild, !triggers.isEmpty else { return }
        talk.line("# Executing \(triggers.count) build trigger\(triggers.count == 1 ? "" : "s")")
        state.settings.onBuild = nil
        for trigger in triggers {
            let instruction: Located<Instruction>
            do throws(DockerfileError) {
                instruction = try Instruction.parse(line: trigger)
            } catch {
                throw error.shaleError
            }
            _ = try executor.execute(instruction, escape: file.escape, on: &state)
        }
    }
}

/// The images of the stages built so far.
private final class StageTable {
    private var byName: [String: Image] = [:]

    func add(_ image: Image?, index: Int, name: String?) {
        guard let image else { return }
        byName[String(index)] = image
        if let name { byName[name.lowercased()] = image }
    }

    func image(named name: String) -> Image? { byName[name.lowercased()] }
}
