package import ArgumentParser
package import Basics
import Images
import Layers
import OCI
import Recipes
import Rendering
import Stores

/// `push NAME[:TAG]`.
package struct Push: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Upload an image to its registry", usage: "push [OPTIONS] NAME[:TAG]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let managementNames: [ManagementName] = ["image push"]
    package static let examples = [
        "push localhost:5000/app:1", "push -a localhost:5000/team/app",
        "push --compression zstd:19 localhost:5000/app:1",
    ]
    package static let differences = [
        "layers made here are packed once and kept: the next push of them costs nothing; prune cache removes them",
        "the recipe of an image made here goes with it, and hangs on it: recipe NAME --remote shows it to anyone; "
            + "of an index each platform has its own (--platform)",
        "a name that stands for an index sends it byte by byte, with all its platforms; --platform sends one of them",
        "--compression chooses how they are packed; a large layer goes up in pieces, and goes on where it broke",
    ]

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Push all tags of the repository")
    var allTags = false
    @Flag(name: .customLong("all-platforms"), help: "Push all platforms of an index; refused when one is not here")
    var allPlatforms = false
    @Option(help: "Push this platform of an index alone: os/arch[/variant]")
    var platform: String?
    @Flag(name: .shortAndLong, help: "Print the full name alone")
    var quiet = false
    @Option(help: "How layers made here are packed: gzip[:1-9] or zstd[:1-19]")
    var compression: String?
    @Flag(name: .customLong("no-recipe"), help: "Do not hang the recipe of an image made here on it")
    var noRecipe = false
    @Argument(help: "NAME[:TAG]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let packing = try compression.map { text throws(ShaleError) in try Packing(parsing: text) } ?? .standard
        let reference = try Reference(parsing: name)
        let images = try shell.images()
        let (allTags, quiet, platforms) = (allTags, quiet, try pushedPlatforms())
        if allTags, reference.tag != nil || reference.digest != nil {
            throw ShaleError(.usage, "tag can't be used with --all-tags/-a")
        }
        let kept = "the layers that the registry has; the same push sends the others"
        let pushed = try shell.withOperation(isQuiet: quiet, keeping: kept) {
            operation throws(ShaleError) -> [PushResult] in
            if allTags { return try images.pushAll(reference, platforms: platforms, packing: packing, operation) }
            if reference.tag == nil, reference.digest == nil { operation.line("Using default tag: latest") }
            return [try images.push(reference, platforms: platforms, packing: packing, operation)]
        }
        if !noRecipe { try attachRecipes(to: pushed, shell) }
        guard quiet else { return .done }
        return .line((allTags ? reference : pushed.first?.reference ?? reference).description)
    }

    private func pushedPlatforms() throws(ShaleError) -> PushedPlatforms {
        guard let platform = try Platform.option(platform) else { return allPlatforms ? .all : .standard }
        if allPlatforms {
            throw ShaleError(.usage, "--platform takes one platform, --all-platforms all of them: choose one")
        }
        return .one(platform)
    }

    /// Hangs recipes on images that are there: of an index on the manifest of each platform.
    ///
    /// A recipe that cannot be made is a warning, for the image has arrived.
    private func attachRecipes(to pushed: [PushResult], _ shell: ShellContext) throws(ShaleError) {
        var told: Set<Digest> = []
        for result in pushed {
            if !result.isIndex, told.insert(result.manifest.digest).inserted {
                try attachRecipe(of: result.image.id, to: result.manifest, result.reference, nil, shell)
            }
            for member in result.members where told.insert(member.manifest.digest).inserted {
                try attachRecipe(of: member.image, to: member.manifest, result.reference, member.platform, shell)
            }
        }
    }

    /// Throws `cancelled` only.
    private func attachRecipe(
        of image: Digest, to manifest: Descriptor, _ reference: Reference, _ platform: Platform?, _ shell: ShellContext
    ) throws(ShaleError) {
        let words = platform.map { "\(reference.familiar) (\($0))" } ?? reference.familiar
        let attached: AttachedRecipe?
        do throws(ShaleError) {
            let (recipes, images) = (try shell.recipes(), try shell.images())
            attached = try shell.withOperation(isQuiet: true) { operation throws(ShaleError) in
                try recipes.attachRecipe(
                    of: images.image(id: image), to: manifest, in: reference, version: Version.current, operation)
            }
        } catch {
            if error.code == .cancelled { throw error }
            return shell.console.warning("the recipe of \(words) was not pushed: \(error)")
        }
        guard let attached else { return }
        for secret in attached.secrets {
            shell.console.warning("recipe: \(secret.warning(withLine: true).visible)")
        }
        if !quiet {
            let option = platform.map { " --platform \($0)" } ?? ""
            shell.console.note(
                "recipe: \(attached.descriptor.digest)   (recipe \(reference.familiar) --remote\(option))")
        }
    }
}
