import Basics
package import Building
package import Containers
package import Images
package import Linux
package import Stores

/// The engine for recipes: how an image or a container was made, as a Dockerfile, and the check that it makes the same.
package struct RecipeEngine: Sendable {
    let store: Store
    package let building: BuildEngine

    package init(store: Store, building: BuildEngine) {
        self.store = store
        self.building = building
    }

    package var containers: ContainerEngine { building.containers }
    package var images: ImageEngine { building.images }
    package var form: OverlayForm { store.form }
    package var settings: EngineSettings { images.settings }
}
