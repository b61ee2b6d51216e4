package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes

/// `manifest push LIST`: sends an index and what its registry lacks of its images.
package struct ManifestPush: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest push", abstract: "Send an index to its registry, with what is missing of its images",
        usage: "manifest push [OPTIONS] MANIFEST_LIST")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = [
        "manifest create localhost:5000/app:1 localhost:5000/app:1-amd64 localhost:5000/app:1-arm64",
        "manifest push localhost:5000/app:1", "manifest push --purge localhost:5000/app:1",
    ]
    package static let differences = ["images of other registries, and those of the home, are sent as well"]

    @Flag(name: .shortAndLong, help: "Remove the index here when it is there") var purge = false
    @Flag(help: .hidden) var insecure = false
    @Argument(help: "The index's name") var list: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        try ManifestLists.refuse(insecure: insecure)
        let list = try ManifestLists.reference(list)
        let (images, purging) = (try shell.images(), purge)
        let digest = try shell.withOperation { operation throws(ShaleError) in
            try images.pushManifestList(list, operation)
        }
        if purging { try images.removeManifestList(list) }
        return .line(digest.description)
    }
}
