package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes

/// `untag REF…`.
package struct Untag: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "untag", abstract: "Take a name away, and keep the image", usage: "untag NAME[:TAG] [NAME[:TAG]…]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let managementNames: [ManagementName] = ["image untag"]
    package static let examples = [
        "untag ubuntu:jammy_jellyfish", "untag app:2", "untag fav_distro:jammy_jellyfish hello-docker",
    ]
    package static let differences = ["docker's rmi removes the image with its last name; untag never does"]

    @Argument(help: "Names")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        var lines: [String] = []
        for name in names {
            let change = try images.untag(Reference(parsing: name))
            lines.append("Untagged: \(change.reference.familiar)")
        }
        return .lines(lines)
    }
}
