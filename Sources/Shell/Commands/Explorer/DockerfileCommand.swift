package import ArgumentParser
package import Basics
import Explorer
import Images
import Recipes
import Stores

/// `dockerfile IMAGE|CONTAINER`: its history as a Dockerfile.
package struct DockerfileCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "dockerfile", abstract: "Write a Dockerfile from an image's history, guesses marked # ?",
        usage: "dockerfile [--extract DIR] IMAGE|CONTAINER")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = [
        "dockerfile nginx:1.25", "dockerfile --extract out nginx:1.25", "dockerfile app:1 > Dockerfile.app",
    ]
    package static let differences = ["Docker has no such command. For what was made here, recipe knows exactly."]

    @Option(help: "Write it there, with the files that its copies brought, so that it builds.") var extract: String?
    @Argument(help: "An image or a container; @ is the working image.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let layers = try PlaceWords(shell).whole(image, for: "dockerfile")
        var base: (name: String, image: Image)?
        let candidates = try BaseImage.candidates(of: layers)
        if let found = candidates.first(where: { [.layers, .container].contains($0.evidence) && $0.id != nil }),
            let id = found.id
        {
            base = (found.name, try shell.images().image(id: id))
        }
        let dockerfile = try ReverseDockerfile(layers, base: base, extracting: extract != nil)
        guard let extract else { return .text(dockerfile.text) }
        let folder = extract.hasPrefix("/") ? extract : "\(shell.hostDirectory)/\(extract)"
        return .lines(try dockerfile.write(into: folder, shell.cancellation).map(\.visible))
    }
}
