package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes

/// `manifest annotate LIST MANIFEST`: the platform that an image is listed for.
package struct ManifestAnnotate: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest annotate", abstract: "Say which platform an image of an index is for",
        usage: "manifest annotate [OPTIONS] MANIFEST_LIST MANIFEST")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = [
        "manifest create localhost:5000/app:1 localhost:5000/app:1-amd64 localhost:5000/app:1-arm64",
        "manifest annotate localhost:5000/app:1 localhost:5000/app:1-arm64 --arch arm64 --variant v8",
        "manifest inspect localhost:5000/app:1",
    ]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Option(help: "The processor") var arch: String?
    @Option(help: "The operating system") var os: String?
    @Option(help: "A feature of the operating system that the image needs; may be given again") var osFeatures:
        [String] = []
    @Option(help: "The version of the operating system") var osVersion: String?
    @Option(help: "The variant of the processor") var variant: String?
    @Argument(help: "The index's name") var list: String
    @Argument(help: "The name its image was added by") var manifest: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let list = try ManifestLists.reference(list)
        let member = try Reference(parsing: manifest).withDefaultTag
        // Docker takes several in one option too, separated by commas.
        let features = osFeatures.flatMap { $0.split(separator: ",").map(String.init) }
        try shell.images().annotateManifestList(
            list, member: member,
            PlatformChange(
                architecture: arch, os: os, osVersion: osVersion, osFeatures: features, variant: variant))
        return .done
    }
}
