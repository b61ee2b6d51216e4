package import Basics
package import Linux
package import OCI
package import Registries
package import Stores

/// Makes the one image that needs no network; returns whether there is one of that name.
package typealias OfflineImage = @Sendable (Reference, OperationContext) throws(ShaleError) -> Bool

/// Images: how they come, go, are named, looked up, written to archives and edited.
///
/// Like the other engine modules it works in the shell's own process; any number of them share one home. Every method
/// is synchronous, reports its progress to a sink, looks at a cancellation token, and throws `ShaleError` alone.
package struct ImageEngine: Sendable {
    let store: Store
    let registry: RegistryClient
    package let settings: EngineSettings
    /// What `ensureImage` uses when the registry cannot be reached.
    let offlineImage: OfflineImage?

    package init(
        store: Store, registry: RegistryClient, settings: EngineSettings, offlineImage: OfflineImage? = nil
    ) {
        self.store = store
        self.registry = registry
        self.settings = settings
        self.offlineImage = offlineImage
    }

    package var form: OverlayForm { store.form }

    /// The moment to write into what is made now: `SOURCE_DATE_EPOCH` where set, else the clock.
    package var creationTime: Timestamp { settings.sourceDateEpoch ?? .now() }
}
