import Basics
import Diagnostics
import Dockerfiles
import Images
import Linux
import Logging
import OCI
import Stores
import Synchronization

/// Builds the stages that the target needs.
///
/// Independent stages are built at the same time, each on a thread; their output is printed one stage after the other.
///
/// A stage whose need is not known at the start is built when it is first asked for. This happens when a base that is
/// not yet pulled has an ONBUILD trigger that copies from the stage.
final class Builder: Sendable {
    private enum Progress {
        case running
        case done(FinishedStage)
        case failed(ShaleError)
    }

    private struct Table {
        var stages: [Int: Progress] = [:]
        var used: Set<String> = []
        /// The containers that failed `RUN`s left, by stage.
        var failedContainers: [Int: String] = [:]
        var made: [Digest] = []
        var taken: [Int: [TakenStep]] = [:]
    }

    private let prepared: PreparedBuild
    private let sequence: BuildSequence
    private let engine: BuildEngine
    private let request: BuildRequest
    private let operation: OperationContext
    private let tally = CacheTally()
    private let trace: BuildTrace
    private let table = Condition(Table())

    init(
        _ prepared: PreparedBuild, engine: BuildEngine, request: BuildRequest, _ operation: OperationContext
    ) throws(ShaleError) {
        self.prepared = prepared
        self.engine = try engine.dated(for: prepared.file, request)
        self.request = try request.opening(engine, operation)
        self.operation = operation
        sequence = try BuildSequence(
            prepared.file, target: request.target, labels: request.labels,
            overriding: request.takenNames)
        trace = BuildTrace(named: request.traceName)
    }

    /// The container that a failed `RUN` left; the one of the first failed stage.
    var failedContainer: String? { table.read { $0.failedContainers.min { $0.key < $1.key }?.value } }

    /// The images that were made; those of one stage in order.
    var made: [Digest] { table.read { $0.made } }

    /// The steps that were carried out or found in the cache; those of one stage in order.
    var taken: [TakenStep] {
        table.read { table in table.taken.sorted { $0.key < $1.key }.flatMap(\.value) }
    }

    /// The steps of the target stage, in order.
    var takenByTarget: [TakenStep] { table.read { $0.taken[sequence.target] ?? [] } }

    /// Builds up to the target and returns its image.
    ///
    /// Throws the error of the first stage in the file's order that failed. Finished steps of all stages stay in the
    /// cache.
    func run() throws(ShaleError) -> Image {
        defer { if request.steps.fillsCache { trace.keep(in: engine.store.cache) } }
        var start = BuildPosition(arguments: request.startArguments(engine))
        let opening = stageBuild(before: 0, voice: operation)
        for step in sequence.steps(of: nil) { _ = try opening.perform(step, on: &start) }
        let needs = try dependencies(start, opening)
        let needed = Self.reachable(from: sequence.target, needs)
        tellSkipped(needed)
        try build(needed, needs, from: start)
        guard case .done(let end)? = table.read({ $0.stages[sequence.target] }) else {
            throw ShaleError.noImageGenerated
        }
        let image = if let made = end.image { made } else { try emptyImage(start.arguments) }
        tellUnconsumed(start.arguments)
        return image
    }

    /// The image of `FROM scratch` alone, which has no layers, in a build for several platforms.
    ///
    /// Only BuildKit builds for several platforms, and it makes this image. The classic builder makes none: in a build
    /// for one platform this throws its `invalid`.
    private func emptyImage(_ arguments: BuildArguments) throws(ShaleError) -> Image {
        guard !request.steps.platforms.isEmpty, let platform = request.platform else {
            throw ShaleError.noImageGenerated
        }
        var config = StageState(scratchFor: platform, arguments: arguments).config
        config.created = engine.creationTime
        return try engine.store.images.add(config: config, layers: [], parent: nil)
    }

    // MARK: What is needed

    private func dependencies(
        _ start: BuildPosition, _ opening: StageBuild
    ) throws(ShaleError) -> [Set<Int>] {
        var needs: [Set<Int>] = []
        for stage in sequence.file.stages[...sequence.target] {
            // When the base's name cannot be expanded, the error is reported when the stage is built.
            let name = (try? opening.fileWords(start.arguments).expand(stage.baseName).text) ?? stage.baseName
            // The ONBUILD triggers of a base image may also copy from stages.
            let left =
                sequence.stage(named: name, before: stage.index) == nil
                ? (try? engine.images.image(named: name))?.containerConfig.onBuild ?? [] : []
            needs.append(sequence.dependencies(of: stage.index, baseName: name, triggers: left))
        }
        return needs
    }

    static func reachable(from target: Int, _ needs: [Set<Int>]) -> [Int] {
        var found: Set<Int> = []
        var pending = [target]
        while let place = pending.popLast() {
            if found.insert(place).inserted { pending += needs[place] }
        }
        return found.sorted()
    }

    private func tellSkipped(_ needed: [Int]) {
        for stage in sequence.file.stages[...sequence.target] where !needed.contains(stage.index) {
            let name = stage.name ?? String(stage.index)
            operation.note("stage \(name) is not needed and not built")
            request.observe?(.skipped(stage: name))
        }
    }

    private func tellUnconsumed(_ arguments: BuildArguments) {
        var declared = table.read { $0.used }
        for stage in sequence.file.stages {
            for case .arg(let argument) in stage.instructions.map(\.value) {
                declared.formUnion(argument.arguments.map(\.key))
            }
        }
        let unconsumed = arguments.unconsumed(besides: declared)
        if !unconsumed.isEmpty {
            // Printed among the build's lines, as the classic builder does.
            let warning = "[Warning] One or more build-args \(GoFormat.plain(unconsumed)) were not consumed"
            request.observe?(.note(warning))
            operation.line(warning)
        }
    }

    // MARK: Stages

    private func build(_ needed: [Int], _ needs: [Set<Int>], from start: BuildPosition) throws(ShaleError) {
        let voices = StageVoices(order: needed, to: operation.tell)
        let stops = Dictionary(uniqueKeysWithValues: needed.map { ($0, Cancellation(below: operation.cancellation)) })
        let workers = min(needed.count, max(2, Workers.processors))
        try Workers.forEach(Array(0..<workers), limit: workers, stopping: Cancellation(below: operation.cancellation)) {
            _ throws(ShaleError) in
            while let place = self.takeStage(of: needed, needs) {
                let stop = stops[place] ?? self.operation.cancellation
                do throws(ShaleError) {
                    try self.build(
                        place, from: start, OperationContext(cancellation: stop, tell: voices.sink(for: place)))
                    voices.finish(place)
                } catch {
                    voices.finish(place, hasFailed: true)
                    // Stages above it in the file continue: if one of them fails as well, that failure is the one
                    // reported.
                    for later in stops where later.key > place { later.value.cancel() }
                }
            }
        }
        let failures: [(place: Int, error: ShaleError)] = table.read { table in
            needed.compactMap { place in
                if case .failed(let error)? = table.stages[place] { (place, error) } else { nil }
            }
        }
        guard let told = failures.first(where: { $0.error.code != .cancelled }) ?? failures.first else { return }
        // Removes the containers of failures further down in the file: a sequential build would not have reached them.
        let left = table.update { table in
            defer { table.failedContainers = table.failedContainers.filter { $0.key == told.place } }
            return table.failedContainers.filter { $0.key != told.place }.values.sorted()
        }
        for container in left where !container.isEmpty {
            Logger.build.attempt("remove container \(container)") { try engine.store.containers.remove(container) }
        }
        throw told.error
    }

    /// Waits for a stage whose dependencies are all built, and marks it as running.
    ///
    /// Stages below a failed stage are not started. Returns `nil` when no stage is left.
    private func takeStage(of needed: [Int], _ needs: [Set<Int>]) -> Int? {
        table.wait { table in
            let failed = table.stages.compactMap { place, progress in
                if case .failed = progress { place } else { nil }
            }
            let limit = failed.min() ?? .max
            var isLeft = false
            for place in needed where place < limit && table.stages[place] == nil {
                isLeft = true
                let isReady = needs[place].allSatisfy {
                    if case .done? = table.stages[$0] { true } else { false }
                }
                if isReady {
                    table.stages[place] = .running
                    return .some(place)
                }
            }
            return isLeft ? nil : .some(nil)
        }
    }

    private func build(_ place: Int, from start: BuildPosition, _ voice: OperationContext) throws(ShaleError) {
        let stage = stageBuild(before: place, voice: voice, start: start)
        var position = start
        defer {
            table.update {
                $0.made += stage.executor.made
                $0.taken[place] = stage.executor.taken
            }
        }
        do throws(ShaleError) {
            for step in sequence.steps(of: place) {
                let outcome = try stage.perform(step, on: &position)
                trace.add(step, outcome, engine.store.cache)
            }
            let end = FinishedStage(position.state, else: start.arguments)
            let used = end.arguments.used
            table.update {
                $0.stages[place] = .done(end)
                $0.used.formUnion(used)
            }
        } catch {
            table.update {
                $0.stages[place] = .failed(error)
                $0.failedContainers[place] = stage.executor.failedContainer
            }
            throw error
        }
    }

    private func stageBuild(before place: Int, voice: OperationContext, start: BuildPosition? = nil) -> StageBuild {
        StageBuild(
            sequence, prepared: prepared, engine: engine, request: request.steps(of: place, in: sequence.file),
            tally: tally, voice
        ) { [self] name throws(ShaleError) in
            guard let wanted = sequence.stage(named: name, before: place) else {
                if let misplaced = sequence.misplacement(of: name, in: place) { throw misplaced }
                return nil
            }
            return try finished(wanted, from: start, voice)
        }
    }

    /// The result of an earlier stage: waits for it when another thread builds it, else builds it here.
    private func finished(
        _ place: Int, from start: BuildPosition?, _ voice: OperationContext
    ) throws(ShaleError) -> FinishedStage {
        let isOurs = table.update { table in
            guard table.stages[place] == nil else { return false }
            table.stages[place] = .running
            return true
        }
        if isOurs, let start { try build(place, from: start, voice) }
        let outcome: Progress? = table.wait { table in
            if case .running? = table.stages[place] { return nil }
            return table.stages[place]
        }
        switch outcome {
        case .done(let end): return end
        default: throw ShaleError(.cancelled, "interrupted")
        }
    }
}

/// Prints the output of stages that are built at the same time one stage after the other, in the file's order.
///
/// The output of the first unfinished stage is printed at once. The output of later stages is kept until it is their
/// turn.
final class StageVoices: Sendable {
    private struct State {
        var turn = 0
        var kept: [Int: [Progress]] = [:]
        var finished: Set<Int> = []
        var failed: Set<Int> = []
    }

    private let order: [Int]
    private let tell: ProgressSink
    private let state = Mutex(State())

    init(order: [Int], to tell: @escaping ProgressSink) {
        self.order = order
        self.tell = tell
    }

    func sink(for stage: Int) -> ProgressSink {
        { [self] progress in
            state.withLock { state in
                if state.turn < order.count, order[state.turn] == stage {
                    tell(progress)
                } else {
                    state.kept[stage, default: []].append(progress)
                }
            }
        }
    }

    /// Prints the next stage's output once this stage is finished.
    ///
    /// After a failed stage nothing more is printed.
    func finish(_ stage: Int, hasFailed: Bool = false) {
        state.withLock { state in
            state.finished.insert(stage)
            if hasFailed { state.failed.insert(stage) }
            while state.turn < order.count {
                for progress in state.kept.removeValue(forKey: order[state.turn]) ?? [] { tell(progress) }
                guard state.finished.contains(order[state.turn]) else { return }
                state.turn = state.failed.contains(order[state.turn]) ? order.count : state.turn + 1
            }
        }
    }
}
