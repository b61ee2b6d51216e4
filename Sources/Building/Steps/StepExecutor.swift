package import Basics
import Diagnostics
import Dockerfiles
package import Images
import Linux
import Logging
package import OCI
import Runtime
package import Stores

/// What one instruction came to.
package struct InstructionResult: Sendable {
    package var image: Image
    package var wasCached: Bool
    package var summary: StepSummary
    /// The step's key in the cache; `nil` for one that is never looked up there.
    package var key: Digest?
    /// Why it was not found there; `nil` when it was, or was not looked up.
    package var miss: CacheMiss?
    /// What COPY and ADD took from the context and where it went, for a recipe's folder.
    package var copied: [CopiedSource] = []
}

/// Carries out single instructions on a stage's state: for `build`, for steps at the prompt, and for `replay`.
///
/// One executor serves one build or one line; it is not shared between threads.
package final class StepExecutor {
    let engine: BuildEngine
    let operation: OperationContext
    let options: StepOptions
    let cache: BuildCache
    /// Where `COPY` without `--from` reads; `nil` where there is none.
    let context: BuildContext?
    let stage: StageLookup
    private let tally: CacheTally
    /// The instruction under way, with its heredocs, as provenance keeps it.
    var source = ""
    /// The escape character that it is written with.
    var escape: Unicode.Scalar = "\\"
    /// Whether it runs a command.
    var isRun = false
    /// What the step under way reads beside its parent and its text: part of the cache's key.
    var inputs = ""
    /// The key that a linked copy has whatever lies below it; `nil` for every other step.
    var linkKey: Digest?
    /// The image that the step under way copies from.
    var from: Digest?
    /// The images made, in order.
    private(set) var made: [Digest] = []
    /// The steps carried out or found, in order.
    private(set) var taken: [TakenStep] = []
    /// Why the step under way was not found.
    private var miss: CacheMiss?
    /// The container that a failed `RUN` left.
    package internal(set) var failedContainer: String?

    package init(
        engine: BuildEngine, options: StepOptions = StepOptions(), context: BuildContext?,
        tally: CacheTally = CacheTally(), _ operation: OperationContext,
        stage: @escaping StageLookup = { _ in nil }
    ) {
        self.engine = engine
        self.options = options
        self.context = context
        self.tally = tally
        self.operation = operation
        self.stage = stage
        cache = BuildCache(store: engine.store.cache)
    }

    /// Looks a step up; on a hit, `state` moves to the image made before, else it is told why there was none.
    func reuse(
        _ createdBy: String, instruction: String, files: PathLines? = nil, on state: inout StageState
    ) -> InstructionResult? {
        if let found = find(createdBy, instruction: instruction, files: files, on: &state) { return found }
        explainMiss(createdBy, instruction: instruction, files: files, on: state)
        return nil
    }

    /// The image that a step made of this very parent, here or, by a shared cache, elsewhere.
    func find(
        _ createdBy: String, instruction: String, files: PathLines? = nil, copied: [CopiedSource] = [],
        on state: inout StageState
    ) -> InstructionResult? {
        let key = key(createdBy, on: state)
        guard options.usesCache, let record = cache.find(key),
            let image = try? engine.store.images.image(record.image)
        else { return restore(createdBy, instruction: instruction, files: files, copied: copied, on: &state) }
        // An image that was removed or undone is listed again once a build uses it.
        Logger.build.attempt("bring image \(image.id.short) back") { try engine.store.images.revive([image.id]) }
        announceHit()
        taken.append(
            TakenStep(key: key, linkKey: linkKey, parent: state.image?.id, image: image, summary: record.summary))
        state.advance(to: image)
        state.isFresh = false
        return InstructionResult(image: image, wasCached: true, summary: record.summary, key: linkKey ?? key)
    }

    /// Says in one line why a step is not in the cache, once any was.
    func explainMiss(_ createdBy: String, instruction: String, files: PathLines?, on state: StageState) {
        miss = nil
        guard options.usesCache else { return }
        let miss = cache.miss(
            parent: linkKey == nil ? state.image?.id : BuildCache.anyParent,
            isParentNew: linkKey == nil && state.isFresh, instruction: instruction, createdBy: createdBy,
            inputs: inputs, files: files)
        if tally.hasHit {
            let reason = "\(Self.subject(instruction)): \(miss.reason)"
            operation.tell(.note("cache miss: \(reason)", .cacheMiss(reason: reason)))
        }
        self.miss = miss
    }

    func announceHit() {
        tally.hit()
        operation.line(" ---> Using cache", .detail)
    }

    /// An instruction as a message names it: COPY and ADD without their destination, everything at most 60 columns.
    private static func subject(_ instruction: String) -> String {
        var words = instruction.split(separator: " ")
        if let keyword = words.first?.uppercased(), keyword == "COPY" || keyword == "ADD", words.count > 2,
            words.last?.hasSuffix("]") == false
        {
            words.removeLast()
        }
        let text = words.joined(separator: " ")
        return text.count > 60 ? "\(text.prefix(59))…" : text
    }

    /// Makes the image that a step leads to, remembers it, and moves `state` there.
    ///
    /// `origin` says how the step is told in recipes, where that is not its instruction; such a step is not cached.
    /// `moment` is when it was carried out, where that was elsewhere.
    func finish(
        _ createdBy: String, instruction: String, layer: StepLayer?, files: PathLines? = nil,
        copied: [CopiedSource] = [], origin: Provenance.Origin? = nil, moment: Timestamp? = nil,
        on state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        let parent = state.image
        let key = key(createdBy, on: state)
        state.config = state.config(after: createdBy, layer: layer?.diffID, at: moment ?? engine.creationTime)
        if let layer { state.layers.append(layer.descriptor) }
        var provenance = Provenance(
            parent: parent?.id, base: state.baseName, origin: origin ?? .step(instruction: source, copied: copied))
        provenance.from = from
        let arguments = state.arguments.values
        if !arguments.isEmpty { provenance.arguments = arguments }
        if escape != "\\" { provenance.escape = String(escape) }
        if isRun {
            let proxies = state.arguments.proxies
            if !proxies.isEmpty { provenance.proxies = proxies }
            if options.givesOwnHost { provenance.hasOwnHost = true }
        }
        let image = try engine.store.images.add(config: state.config, layers: state.layers, parent: parent?.id) {
            id throws(ShaleError) in try engine.images.keepProvenance(provenance, of: id)
        }
        let summary = layer?.summary ?? .none
        if origin == nil, options.fillsCache {
            var record = BuildCache.Record(
                image: image.id, parent: parent?.id, instruction: instruction, createdBy: createdBy,
                inputs: inputs.isEmpty ? nil : inputs, hasFiles: files != nil, summary: summary, made: .now())
            try cache.keep(record, files: files, key: key)
            if let linkKey {
                record.parent = BuildCache.anyParent
                try cache.keep(record, files: files, key: linkKey)
            }
        }
        made.append(image.id)
        taken.append(TakenStep(key: key, linkKey: linkKey, parent: parent?.id, image: image, summary: summary))
        state.advance(to: image)
        state.isFresh = true
        return InstructionResult(
            image: image, wasCached: false, summary: summary, key: linkKey ?? key, miss: miss, copied: copied)
    }

    /// A step that changes the config alone.
    ///
    /// `comment` stands in the history behind `#(nop) `, in docker's spelling.
    func commitSettings(
        _ comment: String, instruction: String, on state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        let createdBy = (state.shell + ["#(nop) ", comment]).joined(separator: " ")
        let changed = state
        if let cached = reuse(createdBy, instruction: instruction, on: &state) { return cached }
        state = changed
        announceContainer(Identifier.random())
        return try finish(createdBy, instruction: instruction, layer: nil, on: &state)
    }

    /// Docker's two lines about the container a step ran in.
    func announceContainer(_ id: String, removed: Bool = true) {
        operation.line(" ---> Running in \(Identifier.short(id))", .detail)
        if removed { announceRemoval(id) }
    }

    func announceRemoval(_ id: String) {
        operation.line(
            engine.settings.modernBuildWording
                ? " ---> Removed intermediate container \(Identifier.short(id))"
                : "Removing intermediate container \(Identifier.short(id))", .detail)
    }

    func key(_ createdBy: String, on state: StageState) -> Digest {
        let platform = state.image == nil ? state.config.platform.description : ""
        return BuildCache.key(
            parent: state.image?.id, step: "\(platform)\(createdBy)\n\(state.config.author ?? "")\(inputs)")
    }
}

/// What holds for every step of a build.
package struct StepOptions: Sendable {
    package var usesCache = true
    /// Whether later builds may find these steps.
    package var fillsCache = true
    package var network: String?
    /// Whether `RUN --network=host` may have the host's network: a Dockerfile may be a stranger's.
    package var allowsHostNetwork = true
    /// What the host gives a `RUN`: `--add-host`, `--memory`, `--ulimit`, `--shm-size`.
    package var host = HostConfig()
    /// The control group that those of `RUN` are made in; empty for shale's own.
    package var cgroupParent = ""
    package var forceRemove = false
    /// Whether `RUN --mount=type=cache` gets the folders that all builds share: a Dockerfile may be a stranger's.
    package var sharesCacheMounts = true
    package var secrets: [BuildSecret] = []
    package var agents: [BuildAgent] = []
    /// The platform that is built for, where one was asked for, and those that are built for in turn.
    var platform: Platform?
    var platforms: [Platform] = []
    /// Where else steps are looked up.
    var sharedCaches: SharedCaches?
    /// What stands in the place of images and stages.
    var contexts: NamedContexts?

    package init() {}

    /// Whether a `RUN` sees hosts, limits or a network that another build would not give it.
    var givesOwnHost: Bool {
        var given = host
        given.memory = 0
        return given != HostConfig() || network == "none"
    }
}

extension StageState {
    /// Moves to an image made or found; what the stage knows beside the config stays.
    mutating func advance(to image: Image) {
        self.image = image
        config = image.config
        layers = image.manifest.layers
    }
}
