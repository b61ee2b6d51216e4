package import ArgumentParser
package import Basics
import Explorer
import Images
import OCI
import Recipes
import Rendering
import Stores

/// `base IMAGE|CONTAINER`: what it is built from.
package struct Base: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "base", abstract: "Tell what an image is built from, and how that is known",
        usage: "base IMAGE|CONTAINER")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = ["base app:1", "base @", "base web"]
    package static let differences = ["Docker does not tell. Exit status 1 when nothing does."]

    @Option(help: "json, or a template.") var format: String?
    @Argument(help: "An image or a container; @ is the working image.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let layers = try PlaceWords(shell).whole(image, for: "base")
        let engine = try shell.engine()
        let found = try BaseImage.candidates(
            of: layers, record: try engine.images.provenance(of: layers.image.id)?.base)
        var rows = Rows([
            .init(key: "name", header: "BASE"), .init(key: "layers", header: "LAYERS"),
            .init(key: "known", header: "KNOWN BY"),
        ])
        for base in found {
            rows.add(
                [base.name, base.layers.map { "#1-#\($0) of \(layers.count)" } ?? "", Self.words(base.evidence)],
                .members([
                    "name": .string(base.name), "id": base.id.map { .string($0.description) } ?? .null,
                    "layers": base.layers.map { .integer(Int64($0)) } ?? .null,
                    "known": .string(base.evidence.rawValue),
                ]))
        }
        if found.isEmpty {
            shell.console.note(
                "\(layers.subject): nothing here tells: no image has its lowest layers, and it says nothing itself")
            return .status(1)
        }
        return rows.outcome(format: format, width: shell.console.width)
    }

    private static func words(_ evidence: BaseImage.Evidence) -> String {
        switch evidence {
        case .container: "the image it was made from"
        case .layers: "the same lowest layers"
        case .annotation: "what the image says of itself"
        case .record: "the FROM it was built with here"
        case .files: "its files alone: the distribution"
        }
    }
}
