package import Basics
package import Linux
package import OCI
package import Registries
package import Runtime
package import Stores
import Synchronization

/// The engine: the one place that joins registries, layers, stores and containers.
///
/// It lives in the shell's own process; any number of them share one home. Every method is synchronous, tells its
/// progress to a sink, looks at a cancellation token, and throws `ShaleError` alone.
package final class Engine: Sendable {
    package let store: Store
    package let registry: RegistryClient
    package let runtime: ContainerRuntime
    package let settings: EngineSettings
    /// The unpacked layers of images looked at lately, top first, by manifest.
    let recentLowers = Mutex<[Digest: [String]]>([:])

    package init(store: Store, registry: RegistryClient, runtime: ContainerRuntime, settings: EngineSettings) {
        self.store = store
        self.registry = registry
        self.runtime = runtime
        self.settings = settings
    }

    package var form: OverlayForm { store.form }

    /// The moment to write into what is made now: `SOURCE_DATE_EPOCH` where set, else the clock.
    package var creationTime: Timestamp { settings.sourceDateEpoch ?? .now() }
}

/// What the user set for the engine.
package struct EngineSettings: Sendable {
    package var platform: Platform = .host
    package var offline = false
    /// Times of made layers and configs are clamped to this when set.
    package var sourceDateEpoch: Timestamp?
    /// `Removing intermediate container X`, or today's ` ---> Removed intermediate container X`.
    package var modernBuildWording = false
    /// Where the sample recipes lie, the first image's among them.
    package var recipesPath: String?

    package init() {}
}

/// How a long operation reports and is stopped.
package struct Conversation: Sendable {
    package let tell: ProgressSink
    package let cancellation: Cancellation

    package init(cancellation: Cancellation = Cancellation(), tell: @escaping ProgressSink = { _ in }) {
        self.tell = tell
        self.cancellation = cancellation
    }

    package func line(_ text: String) { tell(.line(text)) }
    package func note(_ text: String) { tell(.note(text)) }
}
