package import Basics
package import Linux
package import OCI
package import Registries
package import Stores

/// Makes the image that needs no network, when the name is its name.
///
/// Returns whether it did.
package typealias OfflineImage = @Sendable (Reference, OperationContext) throws(ShaleError) -> Bool

/// The operations on images: pull, push, names, search, archives, editing, removal.
///
/// Like the other engine modules it works in the shell's process, and several processes can share one home. Every
/// method is synchronous, reports progress to a sink, checks a cancellation token, and throws only `ShaleError`.
package struct ImageEngine: Sendable {
    let store: Store
    let registry: RegistryClient
    package let settings: EngineSettings
    /// Used by `ensureImage` when the registry cannot be reached.
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

    /// The time of creation of new images: `SOURCE_DATE_EPOCH` when it is set, otherwise the current time.
    package var creationTime: Timestamp { settings.sourceDateEpoch ?? .now() }
}
