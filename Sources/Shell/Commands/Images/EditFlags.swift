import ArgumentParser
import Basics
import Images
import OCI
import Recipes
import Stores

/// What `squash`, `config`, `rebase` and `append` take beside their own options.
struct EditFlags: ParsableArguments {
    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("tag")], help: "The new image's name",
        completion: .shale(.reference))
    var tag: String?
    @Flag(name: .customLong("dry-run"), help: "Say what would change, and make nothing")
    var isTrial = false

    /// Carries an edit out, and returns the id of the image it made.
    ///
    /// Throws `invalid` when the name cannot be a tag's, and what `body` throws.
    func perform(
        in shell: ShellContext,
        _ body: (ImageEngine, EditOptions, OperationContext) throws(ShaleError) -> Image?
    ) throws(ShaleError) -> Outcome {
        let reference = try tag.map { text throws(ShaleError) in try ImageEngine.target(text) }
        let options = EditOptions(reference: reference, isTrial: isTrial)
        let images = try shell.images()
        let made = try shell.withOperation { operation throws(ShaleError) in try body(images, options, operation) }
        guard let made else { return .done }
        shell.remember(image: made.id.hex)
        return .line("\(made.id)")
    }
}
