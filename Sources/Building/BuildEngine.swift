import Basics
package import Containers
package import Images
package import Linux
import OCI
package import Registries
package import Runtime
package import Stores

/// The engine for builds: Dockerfiles and their contexts, the cache of steps, stages, and single steps at the prompt.
package struct BuildEngine: Sendable {
    let store: Store
    /// Downloads the files that `ADD` names by URL.
    let registry: RegistryClient
    let runtime: ContainerRuntime
    package let containers: ContainerEngine

    package init(store: Store, registry: RegistryClient, runtime: ContainerRuntime, containers: ContainerEngine) {
        self.store = store
        self.registry = registry
        self.runtime = runtime
        self.containers = containers
    }

    /// Makes the engines below as well.
    ///
    /// When no registry can be reached, the first image (`busybox`) is made here, if the settings allow it.
    package init(store: Store, registry: RegistryClient, runtime: ContainerRuntime, settings: EngineSettings) {
        let images = ImageEngine(store: store, registry: registry, settings: settings) {
            reference, operation throws(ShaleError) in
            guard settings.hasFirstImage, reference.familiar == "\(Self.firstImageName):\(Reference.defaultTag)"
            else { return false }
            try BuildEngine(store: store, registry: registry, runtime: runtime, settings: settings).makeFirstImage(
                operation)
            return true
        }
        let containers = ContainerEngine(store: store, runtime: runtime, images: images)
        self.init(store: store, registry: registry, runtime: runtime, containers: containers)
    }

    package var images: ImageEngine { containers.images }
    package var form: OverlayForm { store.form }
    package var settings: EngineSettings { images.settings }
    var creationTime: Timestamp { images.creationTime }
}
