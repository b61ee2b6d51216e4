package import Building
package import Containers
package import Images
package import Linux
package import Registries
package import Runtime
package import Stores

/// The four engines on one home, as a session uses them.
package struct Engine: Sendable {
    package let images: ImageEngine
    package let containers: ContainerEngine
    package let building: BuildEngine
    package let recipes: RecipeEngine
    /// For login, logout and search.
    package let registry: RegistryClient
    package let home: Home

    package init(store: Store, registry: RegistryClient, runtime: ContainerRuntime, settings: EngineSettings) {
        let building = BuildEngine(store: store, registry: registry, runtime: runtime, settings: settings)
        home = Home(store)
        self.registry = registry
        self.building = building
        containers = building.containers
        images = building.images
        recipes = RecipeEngine(store: store, building: building)
    }

    package var settings: EngineSettings { images.settings }
    package var form: OverlayForm { images.form }
}
