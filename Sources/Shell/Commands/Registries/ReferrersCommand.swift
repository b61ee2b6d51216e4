package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Registries
import Rendering

/// `referrers NAME`: signatures, lists of packages, recipes and everything else that refers to an image.
package struct ReferrersCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "referrers", abstract: "List what hangs on an image in its registry",
        usage: "referrers [OPTIONS] NAME[:TAG|@DIGEST]")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let examples = [
        "referrers localhost:5000/app:1",
        "referrers --filter type=application/vnd.shale.recipe.v1 localhost:5000/app:1",
        "referrers --format json --platform linux/arm64 localhost:5000/app:1",
    ]
    package static let differences = [
        "docker has no such command; oras calls it discover",
        "where the registry has no referrers API, the list under the tag sha256-… is shown",
    ]
    package static let isWorthKeeping = false
    private static let keys = [FilterKey("type"), FilterKey("annotation")]

    @Option(name: .shortAndLong, help: "type=TYPE, or annotation=KEY[=VALUE]")
    var filter: [String] = []
    @Option(help: "Of an index, what hangs on the manifest of this platform")
    var platform: String?
    @Option(help: "json, or a Go template with .Type, .Size, .Digest, .Annotations, .MediaType")
    var format: String?
    @Flag(name: .shortAndLong, help: "Print the digests alone")
    var quiet = false
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name)
        let platform = try Platform.option(platform)
        var types: [String] = []
        var conditions: [String] = []
        for text in filter {
            let (key, value) = try FilterCondition.parts(of: text)
            switch key {
            case "type": types.append(value)
            case "annotation": conditions.append(value)
            default: throw ShaleError(.invalid, "Invalid filter '\(key.visible)'", hint: FilterKey.hint(Self.keys))
            }
        }
        let images = try shell.images()
        // Several types are alternatives: the registry is asked for all then.
        let asked = types.count == 1 ? types[0] : nil
        let (subject, found) = try shell.withOperation { operation throws(ShaleError) in
            try images.referrers(of: reference, platform: platform, type: asked, operation)
        }
        let shown = found.descriptors.filter { descriptor in
            (types.isEmpty || types.contains(descriptor.artifactType ?? ""))
                && conditions.allSatisfy { FilterCondition.hasLabel(descriptor.annotations ?? [:], $0) }
        }
        if found.descriptors.isEmpty, MediaType.isIndex(subject.mediaType), platform == nil {
            shell.console.note(
                "\(reference.familiar) is a list of platforms: --platform shows what hangs on the image of one")
        }
        let listing = Listing(
            columns: [
                .init("Type", "TYPE"), .init("Size", "SIZE"), .init("Digest", "DIGEST"),
                .init("Annotations", "ANNOTATIONS", shrinks: true),
            ],
            rows: shown.map(Self.row), quietKey: "Digest")
        return .listing(listing, format: format, quiet: quiet)
    }

    private static func row(_ descriptor: Descriptor) -> JSONDocument {
        let notes = (descriptor.annotations ?? [:]).sorted { $0.key < $1.key }
        return .members([
            "Type": .string(descriptor.artifactType ?? descriptor.mediaType), "Size": .string(String(descriptor.size)),
            "Digest": .string(descriptor.digest.description),
            "Annotations": .string(notes.map { "\($0.key)=\($0.value)" }.joined(separator: ",")),
            "MediaType": .string(descriptor.mediaType),
        ])
    }
}
