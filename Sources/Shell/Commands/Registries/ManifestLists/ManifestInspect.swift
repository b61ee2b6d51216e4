package import ArgumentParser
package import Basics
import FoundationEssentials
import Images
import OCI
import Recipes
import Registries
import Stores

/// `manifest inspect [LIST] NAME`: an index of this home, one of its images, or what a registry has.
package struct ManifestInspect: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest inspect", abstract: "Show an index of this home, one of its images, or a registry's",
        usage: "manifest inspect [-v] [MANIFEST_LIST] MANIFEST")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = [
        "manifest inspect localhost:5000/app:1-arm64", "manifest inspect -v localhost:5000/app:1-arm64",
        "manifest inspect alpine",
    ]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]
    package static let isWorthKeeping = false

    @Flag(name: .shortAndLong, help: "With the platform and the bytes of each manifest") var verbose = false
    @Flag(help: .hidden) var insecure = false
    @Argument(help: "The index's name, and the name of one of its images") var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        try ManifestLists.refuse(insecure: insecure)
        guard names.count <= 2, let last = names.last else {
            throw ShaleError(
                .usage, "'manifest inspect' requires at least 1 and at most 2 arguments", hint: "help manifest inspect")
        }
        let name = try Reference(parsing: last).withDefaultTag
        let images = try shell.images()
        if names.count == 2 {
            let list = try ManifestLists.reference(names[0])
            guard let found = try images.manifestList(list) else { throw ImageEngine.noSuchList(list) }
            guard let member = found.member(named: name) else {
                throw ShaleError(
                    .notFound, "No such manifest: \(name.familiar)",
                    hint: "manifest inspect \(list.familiar)   (lists those it has)")
            }
            return verbose ? try Self.details([member], isOne: true) : Self.bytes(member.manifest)
        }
        if let list = try images.manifestList(name) {
            return verbose ? try Self.details(list.members, isOne: false) : .text(list.text + "\n")
        }
        let isVerbose = verbose
        return try shell.withOperation { operation throws(ShaleError) in
            guard isVerbose else { return Self.bytes(try images.resolve(name, operation.cancellation).bytes) }
            let (members, isIndex) = try images.listedManifests(of: name, operation)
            return try Self.details(members, isOne: !isIndex)
        }
    }

    private static func bytes(_ bytes: Data) -> Outcome {
        let text = String(decoding: bytes, as: UTF8.self)
        return .text(text.hasSuffix("\n") ? text : text + "\n")
    }

    /// Docker's keys: `Ref`, `Descriptor`, `Raw`, and the manifest under a key that says whose it is.
    private static func details(_ members: [ManifestList.Member], isOne: Bool) throws(ShaleError) -> Outcome {
        var documents: [JSONDocument] = []
        for member in members {
            let isOCI = member.descriptor.mediaType == MediaType.ociManifest
            documents.append(
                .members([
                    "Ref": .string(member.reference.description), "Descriptor": member.descriptor.document,
                    "Raw": .string(member.manifest.base64EncodedString()),
                    isOCI ? "OCIManifest" : "SchemaV2Manifest": try JSONDocument(
                        parsing: Array(member.manifest), naming: "manifest \(member.descriptor.digest)"),
                ]))
        }
        let shown = isOne ? documents.first ?? .null : .array(documents)
        return .text(shown.text(indent: 4) + "\n")
    }
}
