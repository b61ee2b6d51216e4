import Basics
package import Building
package import Containers
package import Images
package import Linux
package import Stores

/// Recipes: how an image or a container came to be, as a Dockerfile, and the proof that it gives the same image.
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
