package import Basics
import Glibc
import Layers
import Linux
import OCI
package import Stores

extension Engine {
    /// Makes an image again from its recipe, without the cache and without a name, and says what came out otherwise.
    ///
    /// Compared are each path's type, mode, owner, size, content, link and attributes, and the config; not times. The
    /// rebuilt image is removed again. Throws what building throws: a recipe that cannot be carried out is no recipe.
    package func verifyRecipe(of image: Image, _ talk: Conversation) throws(ShaleError) -> [String] {
        let scratch = try ScratchFolder(in: store)
        let folder = "\(scratch.path)/recipe"
        let recipe = try RecipeMaker.recipe(of: image, engine: self)
        try RecipeFolder(folder, engine: self).save(recipe, talk.cancellation)
        var request = BuildRequest(source: .directory(folder))
        request.steps.usesCache = false
        var failed: String?
        let rebuilt = try build(request, failedContainer: &failed, talk)
        let other = try store.images.image(rebuilt.imageID)
        defer { if other.id != image.id { _ = try? removeImage(other.id.description) } }
        return try differences(of: image, from: other, talk.cancellation)
    }

    private func differences(
        of image: Image, from other: Image, _ cancellation: Cancellation
    ) throws(ShaleError) -> [String] {
        let trees = (
            MergedTree(layers: try directories(lowerPaths(of: image)), form: form),
            MergedTree(layers: try directories(lowerPaths(of: other)), form: form)
        )
        let comparison = FileTreeComparison(trees.0, trees.1, comparingTimes: false)
        var found = try comparison.differences(cancellation: cancellation).map { difference in
            switch difference.kind {
            case .onlyLeft: "\(difference.path): not made by the recipe"
            case .onlyRight: "\(difference.path): made by the recipe alone"
            case .differs: "\(difference.path): \(difference.reasons.map(\.rawValue).sorted().joined(separator: ", "))"
            }
        }
        found += ConfigInstructions.lines(from: other.containerConfig, to: image.containerConfig)
            .map { "config: the recipe lacks \($0)" }
        if found.isEmpty, other.containerConfig != image.containerConfig {
            found.append("config: the recipe sets more than the image has")
        }
        return found
    }
}
