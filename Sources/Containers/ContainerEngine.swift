import Basics
package import Images
package import Linux
import OCI
package import Runtime
package import Stores
import Synchronization

/// The operations on containers: create, run, inspect, change, commit.
package struct ContainerEngine: Sendable {
    let store: Store
    package let runtime: ContainerRuntime
    package let images: ImageEngine
    let recentLowers = RecentLowers()

    package init(store: Store, runtime: ContainerRuntime, images: ImageEngine) {
        self.store = store
        self.runtime = runtime
        self.images = images
    }

    package var form: OverlayForm { store.form }
    package var settings: EngineSettings { images.settings }
    var creationTime: Timestamp { images.creationTime }
}

/// The unpacked layers of recently used images, the top first, by manifest.
final class RecentLowers: Sendable {
    let paths = Mutex<[Digest: [String]]>([:])
}
