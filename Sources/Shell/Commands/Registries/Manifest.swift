package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Registries

/// `manifest NAME`: the document a name leads to, as the registry sends it.
package struct ManifestCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest", abstract: "Show the manifest a name leads to, without fetching a layer",
        usage: """
            manifest [OPTIONS] NAME[:TAG|@DIGEST]
            manifest create [-a] MANIFEST_LIST MANIFEST [MANIFEST…]
            manifest annotate [OPTIONS] MANIFEST_LIST MANIFEST
            manifest inspect [-v] [MANIFEST_LIST] MANIFEST
            manifest push [-p] MANIFEST_LIST
            manifest rm MANIFEST_LIST [MANIFEST_LIST…]
            """,
        discussion: "'help manifest COMMAND' says more of the commands on an index of several platforms.")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let examples = [
        "manifest alpine", "manifest --platform linux/arm64 alpine", "manifest --format json alpine",
    ]
    package static let subcommands: [any Verb.Type] = [
        ManifestCreate.self, ManifestAnnotate.self, ManifestInspect.self, ManifestPush.self, ManifestRm.self,
    ]
    package static let differences = ["the bytes are the registry's own, so that their digest is the manifest's"]
    package static let isWorthKeeping = false

    @Option(help: "Of an index, the manifest of this platform")
    var platform: String?
    @Option(help: "json: on one line; or a Go template")
    var format: String?
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name).withDefaultTag
        let platform = try Platform.option(platform)
        let images = try shell.images()
        let bytes = try shell.withOperation { operation throws(ShaleError) in
            if let platform {
                return Array(try images.remoteImage(reference, platform: platform, operation).manifestBytes)
            }
            return Array(try images.resolve(reference, operation.cancellation).bytes)
        }
        guard let format else {
            let text = String(decoding: bytes, as: UTF8.self)
            return .text(text.hasSuffix("\n") ? text : text + "\n")
        }
        return .documents([try JSONDocument(parsing: bytes, naming: "manifest")], format: format)
    }
}
