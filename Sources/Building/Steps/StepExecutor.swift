package import Basics
import Diagnostics
import Dockerfiles
package import Images
import Linux
import Logging
package import OCI
import Runtime
package import Stores

/// The result of one instruction.
package struct InstructionResult: Sendable {
    package var image: Image
    package var wasCached: Bool
    package var summary: StepSummary
    /// The step's cache key; `nil` for a step that is never looked up.
    package var key: Digest?
    /// Why the step was not in the cache; `nil` when it was found, or not looked up.
    package var miss: CacheMiss?
    /// The sources and destinations of COPY and ADD, for a recipe's folder.
    package var copied: [CopiedSource] = []
}

/// Carries out single instructions on a stage's state: for `build`, for steps at the prompt, and for `replay`.
///
/// One executor serves one build or one line. It is not thread-safe.
package final class StepExecutor {
    let engine: BuildEngine
    let operation: OperationContext
    let options: StepOptions
    let cache: BuildCache
    /// Where `COPY` without `--from` reads; `nil` when there is no context.
    let context: BuildContext?
    let stage: StageLookup
    private let tally: CacheTally
    /// The text of the current instruction, with heredocs, for provenance.
    var source = ""
    /// The escape character of the current instruction.
    var escape: Unicode.Scalar = "\\"
    /// Whether the current instruction runs a command.
    var isRun = false
    /// What the current step reads beside its parent and its text.
    ///
    /// It is part of the cache key.
    var inputs = ""
    /// The key of a linked copy, which is the same on every parent; `nil` for every other step.
    var linkKey: Digest?
    /// The image from which the current step copies.
    var from: Digest?
    /// The images that were made, in order.
    private(set) var made: [Digest] = []
    /// The steps that were carried out or found in the cache, in order.
    private(set) var taken: [TakenStep] = []
    /// Why the current step was not found in the cache.
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

    /// Looks a step up in the cache.
    ///
    /// On a hit `state` moves to the cached image; on a miss the reason is reported.
    func reuse(
        _ createdBy: String, instruction: String, files: PathLines? = nil, on state: inout StageState
    ) -> InstructionResult? {
        if let found = find(createdBy, instruction: instruction, files: files, on: &state) { return found }
        explainMiss(createdBy, instruction: instruction, files: files, on: state)
        return nil
    }

    /// Finds the image that this step made on the same parent, in the local cache or in a shared cache.
    func find(
        _ createdBy: String, instruction: String, files: PathLines? = nil, copied: [CopiedSource] = [],
        on state: inout StageState
    ) -> InstructionResult? {
        let key = key(createdBy, on: state)
        guard options.usesCache, let record = cache.find(key),
            let image = try? engine.store.images.image(record.image)
        else { return restore(createdBy, instruction: instruction, files: files, copied: copied, on: &state) }
        // A cached image that was removed or undone is listed again.
        Logger.build.attempt("bring image \(image.id.short) back") { try engine.store.images.revive([image.id]) }
        if options.fillsCache {
            Logger.build.attempt("note the use of a cached step") { () throws(SystemCallError) in
                try cache.addUse(of: key)
            }
        }
        announceHit()
        taken.append(
            TakenStep(key: key, linkKey: linkKey, parent: state.image?.id, image: image, summary: record.summary))
        state.advance(to: image)
        state.isFresh = false
        return InstructionResult(image: image, wasCached: true, summary: record.summary, key: linkKey ?? key)
    }

    /// Records why a step is not in the cache.
    ///
    /// It is reported in one line if an earlier step of the build was found.
    func explainMiss(_ createdBy: String, instruction: String, files: PathLines?, on state: StageState) {
        miss = nil
        guard options.usesCache else { return }
        let miss = cache.miss(
            parent: linkKey == nil ? state.image?.id : BuildCache.anyParent,
            isParentNew: linkKey == nil && state.isFresh, instruction: instruction, createdBy: createdBy,
            arguments: isRun ? Self.arguments(of: state) : [:], inputs: inputs, files: files)
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

    /// An instruction's text for a message: COPY and ADD without their destination, at most 60 characters.
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

    /// Makes the image of a step, adds it to the cache, and moves `state` to it.
    ///
    /// `origin` is the step's provenance when it is not the instruction; such a step is not cached. `moment` is the
    /// time of
    /// the step when it was carried out elsewhere.
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
                arguments: isRun ? Self.arguments(of: state) : nil, inputs: inputs.isEmpty ? nil : inputs,
                hasFiles: files != nil, summary: summary, made: .now())
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

    /// Commits a step that changes only the config.
    ///
    /// `comment` is written to the history after `#(nop) `, in docker's spelling.
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

    /// Prints docker's two lines about a step's container.
    ///
    /// No container exists: the ID is only printed.
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

    /// What a moment for all times adds to a key: a layer that was made without it has other times.
    static func epochKey(_ engine: BuildEngine) -> String {
        engine.settings.sourceDateEpoch.map { "\nepoch \($0.seconds)" } ?? ""
    }

    func key(_ createdBy: String, on state: StageState) -> Digest {
        let platform = state.image == nil ? state.config.platform.description : ""
        return BuildCache.key(
            parent: state.image?.id,
            step: "\(platform)\(createdBy)\n\(state.config.author ?? "")\(inputs)\(Self.epochKey(engine))")
    }
}

/// Options for all steps of a build.
package struct StepOptions: Sendable {
    package var usesCache = true
    /// Whether these steps are added to the cache.
    package var fillsCache = true
    package var network: String?
    /// Whether `RUN --network=host` is allowed.
    ///
    /// The Dockerfile may come from a stranger.
    package var allowsHostNetwork = true
    /// Options for the process of a `RUN`: `--add-host`, `--memory`, `--ulimit`, `--shm-size`.
    package var host = HostConfig()
    /// The cgroup below which the cgroups of `RUN` are created; empty for shale's own.
    package var cgroupParent = ""
    package var forceRemove = false
    /// Whether `RUN --mount=type=cache` uses the folders that all builds share.
    ///
    /// The Dockerfile may come from a stranger.
    package var sharesCacheMounts = true
    package var secrets: [BuildSecret] = []
    package var agents: [BuildAgent] = []
    /// The requested platform, if any, and all platforms of a build for several.
    var platform: Platform?
    var platforms: [Platform] = []
    /// Shared caches in which steps are looked up.
    var sharedCaches: SharedCaches?
    /// `--build-context`: replacements for images and stages.
    var contexts: NamedContexts?

    package init() {}

    /// Whether a `RUN` gets hosts, limits or a network that it would not get in another build.
    var givesOwnHost: Bool {
        var given = host
        given.memory = 0
        return given != HostConfig() || network == "none"
    }
}

extension StageState {
    /// Moves to an image that was made or found.
    ///
    /// All other facts of the stage stay.
    mutating func advance(to image: Image) {
        self.image = image
        config = image.config
        layers = image.manifest.layers
    }
}
