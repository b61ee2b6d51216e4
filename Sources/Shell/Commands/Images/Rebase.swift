package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Stores

/// `rebase IMAGE --old BASE --new BASE`.
package struct Rebase: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rebase", abstract: "Put what an image adds to its base on another base",
        usage: "rebase [--old BASE] --new BASE [-t NEW] [--dry-run] IMAGE")
    package static let operandKinds: [ValueKind] = [.image]
    package static let examples = [
        "rebase web:1 --new debian:12.8 -t web:2", "rebase web:1 --old debian:12.7 --new debian:12.8 -t web:2",
        "rebase web:1 --new debian:12.8 --dry-run",
    ]
    package static let differences = [
        "docker has no such command. Nothing is run again: the layers stay as they are, and fit only a base like theirs.",
        "What the image set otherwise than its old base stays; where the new base differs too, that is said.",
    ]

    @Option(
        help: "The base it stands on; what a build here, or the image itself, tells of it is the default",
        completion: .shale(.image))
    var old: String?
    @Option(help: "The base it is to stand on; pulled where it is not here", completion: .shale(.image))
    var new: String
    @OptionGroup var edit: EditFlags
    @Argument(help: "An image: name, or id")
    var image: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let request = RebaseRequest(image: image, oldBase: old, newBase: new)
        return try edit.perform(in: shell) { images, options, operation throws(ShaleError) in
            try images.rebase(request, options, operation)
        }
    }
}
