import Basics
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
    package var target: String?
    package var platform: Platform?
    package var steps = StepOptions()
    /// Pulls base images even where they are here.
    package var pullsBases = false
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
}

/// What a build made.
package struct BuildOutcome: Sendable {
    package var imageID: Digest
    package var tags: [Reference]
}
