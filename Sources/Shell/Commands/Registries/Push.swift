package import ArgumentParser
package import Basics
import Images
import Layers
import OCI
import Recipes
import Stores

/// `push NAME[:TAG]`.
package struct Push: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Upload an image to its registry", usage: "push [OPTIONS] NAME[:TAG]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let managementNames: [ManagementName] = ["image push"]
    package static let examples = [
        "push localhost:5000/app:1", "push -a registry.example.com/team/app",
        "push --compression zstd:19 localhost:5000/app:1",
    ]
    package static let differences = [
        "layers made here are packed once and kept: the next push of them costs nothing; prune cache removes them",
        "--compression chooses how they are packed; a large layer goes up in pieces, and goes on where it broke",
    ]

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Push all tags of the repository")
    var allTags = false
    @Flag(name: .shortAndLong, help: "Print the full name alone")
    var quiet = false
    @Option(help: "How layers made here are packed: gzip[:1-9] or zstd[:1-19]")
    var compression: String?
    @Argument(help: "NAME[:TAG]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let packing = try compression.map { text throws(ShaleError) in try Packing(parsing: text) } ?? .standard
        let reference = try Reference(parsing: name)
        let images = try shell.images()
        let (allTags, quiet) = (allTags, quiet)
        if allTags, reference.tag != nil || reference.digest != nil {
            throw ShaleError(.usage, "tag can't be used with --all-tags/-a")
        }
        try shell.withOperation(isQuiet: quiet) { operation throws(ShaleError) in
            if allTags {
                _ = try images.pushAll(reference, packing: packing, operation)
            } else {
                if reference.tag == nil, reference.digest == nil { operation.line("Using default tag: latest") }
                _ = try images.push(reference, packing: packing, operation)
            }
        }
        guard quiet else { return .done }
        return .line((allTags ? reference : reference.withDefaultTag).description)
    }
}
