package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Stores

/// `squash IMAGE`.
package struct Squash: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "squash", abstract: "Make some layers of an image, or all, one",
        usage: "squash [--from N] [--to M] [-t NEW] [--dry-run] IMAGE")
    package static let operandKinds: [ValueKind] = [.image]
    package static let examples = [
        "squash web:1 -t web:small", "squash web:1 --from 3 -t web:small", "squash web:1 --from 2 --to 4 --dry-run",
    ]
    package static let differences = [
        "docker has build --squash alone, which merges what a build added; here any image's layers are merged, later.",
        "The merged steps stay in the history, as the new layer's comment; the image's own time stays its time.",
    ]

    @Option(help: "The lowest layer to merge; 1 is the image's lowest, and the default")
    var from: Int?
    @Option(help: "The highest layer to merge; the image's topmost is the default")
    var to: Int?
    @OptionGroup var edit: EditFlags
    @Argument(help: "An image: name, or id")
    var image: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let (image, from, to) = (image, from, to)
        return try edit.perform(in: shell) { images, options, operation throws(ShaleError) in
            try images.squash(image, from: from, to: to, options, operation)
        }
    }
}
