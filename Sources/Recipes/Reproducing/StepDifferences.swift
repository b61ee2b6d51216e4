import Basics
import Explorer
import Images
import Layers
import OCI
import Stores

/// What two builds of one recipe made otherwise, layer by layer.
struct StepDifferences {
    /// A path of one step's layer.
    struct Found: Hashable {
        /// The index of the step's line in the recipe.
        var index: Int
        var difference: RecipeDifference
    }

    private let recipe: Recipe
    private let engine: RecipeEngine
    private(set) var found: [Found] = []

    /// Compares the layers that the steps of two builds made.
    ///
    /// Times count too, because they are a part of a layer's digest. Throws what reading the layers throws.
    init(_ recipe: Recipe, _ one: BuiltSteps, _ other: BuiltSteps, engine: RecipeEngine) throws(ShaleError) {
        self.recipe = recipe
        self.engine = engine
        var number = 1
        var below = (one: 0, other: 0)
        for (index, line) in recipe.lines.enumerated() {
            defer { number += line.height }
            // `FROM scratch` makes no image, and begins with no layer.
            if line.keyword == "FROM" { below = (0, 0) }
            guard let left = one.image(line: number), let right = other.image(line: number) else { continue }
            let images = (one: try engine.store.images.image(left), other: try engine.store.images.image(right))
            let counts = (
                one: images.one.config.rootfs.diffIDs.count, other: images.other.config.rootfs.diffIDs.count
            )
            if line.keyword == "FROM" {
                below = counts
                continue
            }
            let hasLayers = (one: counts.one > below.one, other: counts.other > below.other)
            below = counts
            if hasLayers.one, hasLayers.other {
                try compare(images.one, images.other, index, number)
            } else if hasLayers.one != hasLayers.other {
                note("/", "changes files in one build only", index, number)
            }
        }
    }

    private mutating func compare(_ one: Image, _ other: Image, _ index: Int, _ number: Int) throws(ShaleError) {
        guard one.config.rootfs.diffIDs.last != other.config.rootfs.diffIDs.last else { return }
        let count = found.count
        let left = try engine.topLayer(of: one)
        let right = try engine.topLayer(of: other)
        for entry in left.entries {
            guard let twin = right[entry.path] else {
                note(entry.path, "made in one build only", index, number)
                continue
            }
            var reasons = IndexComparison.reasons(twin, entry)
            // A directory's time is not a change of it, but it is in the tar.
            if entry.modified.seconds != twin.modified.seconds { reasons.insert(.mtime) }
            if !reasons.isEmpty {
                note(entry.path, reasons.map(\.rawValue).sorted().joined(separator: ", "), index, number)
            }
        }
        for entry in right.entries where left[entry.path] == nil {
            note(entry.path, "made in one build only", index, number)
        }
        if found.count == count { note("/", "the archive of the layer", index, number) }
    }

    private mutating func note(_ path: String, _ what: String, _ index: Int, _ number: Int) {
        found.append(
            Found(
                index: index,
                difference: RecipeDifference(subject: path, what: what, step: recipe.lines[index].text, line: number)))
    }
}

extension RecipeEngine {
    /// The index of an image's top layer; empty for an image without layers.
    fileprivate func topLayer(of image: Image) throws(ShaleError) -> LayerIndex {
        guard let (diffID, chain) = LayerStore.stack(of: image.config).last else { return LayerIndex() }
        try images.unpackMissingLayers(of: image, OperationContext())
        guard let path = store.layers.indexPath(diffID, on: chain) else { return LayerIndex() }
        return try LayerIndex(reading: path)
    }
}
