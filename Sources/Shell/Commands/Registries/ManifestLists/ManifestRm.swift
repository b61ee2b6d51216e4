package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes

/// `manifest rm LIST…`: removes indexes that were put together here.
package struct ManifestRm: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest rm", abstract: "Remove indexes that were put together here; their images stay",
        usage: "manifest rm MANIFEST_LIST [MANIFEST_LIST…]")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = [
        "manifest create localhost:5000/app:1 localhost:5000/app:1-amd64",
        "manifest inspect localhost:5000/app:1 localhost:5000/app:1-amd64", "manifest rm localhost:5000/app:1",
    ]
    package static let differences = ["nothing is removed at a registry: delete --remote does that"]

    @Argument(help: "Names of indexes") var lists: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        var failures: [ShaleError] = []
        for name in lists {
            do throws(ShaleError) {
                try images.removeManifestList(ManifestLists.reference(name))
            } catch {
                failures.append(error)
            }
        }
        return try shell.outcome(.none, failures: failures)
    }
}
