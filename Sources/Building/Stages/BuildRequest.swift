import Basics
import Dockerfiles
import Images
package import OCI

/// What `build` was asked for.
package struct BuildRequest: Sendable {
    package enum Source: Sendable {
        /// A directory of the host's.
        case directory(String)
        /// A tar of any kind, or a Dockerfile alone, as it came on standard input.
        case bytes([UInt8])
        case remote(RemoteContext)
    }

    package var source: Source
    /// `-f`: a path below the context or anywhere; `nil` means `Dockerfile`.
    package var dockerfile: String?
    /// `-f -`: the file's own text.
    package var dockerfileText: String?
    package var tags: [Reference] = []
    package var arguments: [String: String?] = [:]
    package var labels: [String: String] = [:]
    /// What the image's manifest says beside.
    package var annotations: [String: String] = [:]
    package var target: String?
    package var platform: Platform?
    /// Several platforms, which make one index; empty for one platform.
    package var platforms: [Platform] = []
    package var steps = StepOptions()
    /// What stands in the place of images and stages.
    package var contexts: [NamedContext] = []
    /// Stages, by name or number, whose steps are carried out anew.
    package var uncachedStages: [String] = []
    /// Where else steps are looked up.
    package var cacheFrom: [CachePlace] = []
    /// Where the steps are written for other machines.
    package var cacheTo: [CachePlace] = []
    /// Pulls base images even where they are here.
    package var pullsBases = false
    /// Whether the layers of the build become one, on top of the base's.
    package var squashes = false
    /// Hears of every step, for programs; called from any thread.
    package var observe: (@Sendable (BuildEvent) -> Void)?
    /// Whose last build this is, for `why-cache`.
    package var traceName = "default"

    package init(source: Source) { self.source = source }

    /// The arguments before the first instruction.
    func startArguments(_ engine: BuildEngine) -> BuildArguments {
        let platforms = BuildArguments.platforms(
            target: platform ?? engine.settings.platform, build: engine.settings.platform)
        return BuildArguments(given: arguments, automatic: platforms)
    }

    /// The same with the shared caches and the named contexts that it speaks of.
    ///
    /// Throws `cancelled` alone: what is wrong with a cache is told in a line, and a context is opened when it is used.
    func opening(_ engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) -> BuildRequest {
        var copy = self
        copy.steps.platform = platform
        if !contexts.isEmpty {
            copy.steps.contexts = NamedContexts(contexts, engine: engine, platform: platform, steps: steps)
        }
        if !cacheFrom.isEmpty, steps.usesCache {
            copy.steps.sharedCaches = try SharedCaches(cacheFrom, engine: engine, operation)
        }
        return copy
    }

    /// The names that are no stage's although one may have it.
    var takenNames: Set<String> { Set(contexts.map(\.name)) }

    /// The same as it holds for one stage.
    func steps(of stage: Int, in file: StagedFile) -> BuildRequest {
        guard !uncachedStages.isEmpty, file.stages.indices.contains(stage) else { return self }
        let name = file.stages[stage].name
        let isUncached = uncachedStages.contains { $0 == String(stage) || $0.lowercased() == name }
        guard isUncached else { return self }
        var copy = self
        copy.steps.usesCache = false
        return copy
    }
}

/// What a build made.
package struct BuildOutcome: Sendable {
    package var imageID: Digest
    package var tags: [Reference]
    /// The index of all platforms, where several were built.
    package var index: Descriptor?
    /// What was built for each platform, in the order that was asked for.
    package var images: [Digest] = []
}
