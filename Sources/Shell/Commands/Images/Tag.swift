package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering

/// `tag SOURCE TARGET`.
package struct Tag: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Give an image one more name",
        usage: "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]")
    package static let operandKinds: [ValueKind] = [.image, .reference]
    package static let managementNames: [ManagementName] = ["image tag"]
    package static let examples = [
        "tag ubuntu:22.04 ubuntu:jammy_jellyfish", "tag ubuntu:22.04 fav_distro:jammy_jellyfish", "tag @ app:3",
    ]
    package static let differences = ["undo takes it back, and NAME@{1} is what the name meant before."]

    @Argument(help: "An image: name, or id")
    var source: String
    @Argument(help: "The new name")
    var target: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try ImageEngine.target(target)
        let change = try shell.images().tag(source, as: reference)
        if let before = change.before, before != change.after, shell.isInteractive {
            shell.console.note("moved \(reference.familiar) from \(before.short) to \(change.after?.short ?? "")")
        }
        if let image = change.after { shell.remember(image: image.description) }
        return .done
    }
}
