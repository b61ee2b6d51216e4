import Basics
import Dockerfiles
import Images
package import OCI

/// The options of one `build`.
package struct BuildRequest: Sendable {
    package enum Source: Sendable {
        /// A directory of the host.
        case directory(String)
        /// The bytes from standard input: a tar, compressed or not, or a Dockerfile alone.
        case bytes([UInt8])
        case remote(RemoteContext)
    }

    package var source: Source
    /// `-f`: a path relative to the context, or any path of the host; `nil` means `Dockerfile`.
    package var dockerfile: String?
    /// `-f -`: the text of the Dockerfile.
    package var dockerfileText: String?
    package var tags: [Reference] = []
    package var arguments: [String: String?] = [:]
    package var labels: [String: String] = [:]
    /// Annotations that are added to the image's manifest.
    package var annotations: [String: String] = [:]
    package var target: String?
    package var platform: Platform?
    /// Several platforms, whose images become one index; empty when one platform is built.
    package var platforms: [Platform] = []
    package var steps = StepOptions()
    /// `--build-context`: replacements for images and stages.
    package var contexts: [NamedContext] = []
    /// `--no-cache-filter`: stages, by name or number, whose steps are not looked up in the cache.
    package var uncachedStages: [String] = []
    /// Shared caches in which steps are looked up.
    package var cacheFrom: [CachePlace] = []
    /// Shared caches to which the steps are written.
    package var cacheTo: [CachePlace] = []
    /// Whether base images are pulled even when they are in the store.
    package var pullsBases = false
    /// Whether the layers of the build are squashed into one above the base's layers.
    package var squashes = false
    /// Receives the build's events.
    ///
    /// Called from any thread.
    package var observe: (@Sendable (BuildEvent) -> Void)?
    /// The session whose last build this is, for `why-cache`.
    package var traceName = "default"

    package init(source: Source) { self.source = source }

    /// The build arguments before the first instruction.
    func startArguments(_ engine: BuildEngine) -> BuildArguments {
        let platforms = BuildArguments.platforms(
            target: platform ?? engine.settings.platform, build: engine.settings.platform)
        return BuildArguments(given: arguments, automatic: platforms)
    }

    /// The same request with its shared caches and named contexts opened.
    ///
    /// Throws only `cancelled`: a problem with a cache is reported in a line, and a context is opened when it is first
    /// used.
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

    /// The names that must not be looked up as stages, because a named context replaces them.
    var takenNames: Set<String> { Set(contexts.map(\.name)) }

    /// The request as it applies to one stage: without the cache if `uncachedStages` names the stage.
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

/// The result of a build.
package struct BuildOutcome: Sendable {
    package var imageID: Digest
    package var tags: [Reference]
    /// The index of all platforms, when several were built.
    package var index: Descriptor?
    /// The image of each platform, in the order of the request.
    package var images: [Digest] = []
}
