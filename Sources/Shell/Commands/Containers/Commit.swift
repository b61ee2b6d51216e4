package import ArgumentParser
package import Basics
import Containers
import OCI
import Recipes
import Rendering
import Stores

/// `commit CONTAINER [REPOSITORY[:TAG]]`.
package struct Commit: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of what a container changed",
        usage: "commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]")
    package static let operandKinds: [ValueKind] = [.container, .reference]
    package static let managementNames: [ManagementName] = ["container commit"]
    package static let examples = [
        "commit web my-web:v2", "commit -m 'added a file' -c 'CMD [\"sh\"]' $ctr my-web",
        "commit --keep-config web my-web:v3",
    ]
    package static let differences = [
        "The container's command becomes the image's, as with docker; a note says so, and --keep-config keeps the old."
    ]

    @Option(
        name: [.customShort("a", allowingJoined: true), .customLong("author")], parsing: .unconditional,
        help: "The author")
    var author: String?
    @Option(
        name: [.customShort("m", allowingJoined: true), .customLong("message")], parsing: .unconditional,
        help: "A comment for the history")
    var message: String?
    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("change")], parsing: .unconditionalSingleValue,
        help: "Apply a Dockerfile instruction")
    var change: [String] = []
    @Flag(name: .customLong("no-pause"), help: "Do not let it stand still meanwhile") var noPause = false
    @Flag(name: [.customShort("p"), .customLong("pause")], help: .hidden) var pause = false
    @Flag(name: .customLong("keep-config"), help: "Keep CMD, ENTRYPOINT and ONBUILD") var keepsConfig = false
    @Argument(help: "Name or id") var container: String
    @Argument(help: "The image's name") var reference: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var options = CommitOptions()
        options.reference = reference
        options.author = author
        options.message = message
        options.changes = change
        options.pauses = !noPause
        options.keepsConfig = keepsConfig
        let name = container
        let image = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            let containers = try shell.containers()
            return try containers.commit(containers.container(name).record, options, operation)
        }
        shell.remember(image: image.id.hex)
        return .line("\(image.id)")
    }
}
