package import ArgumentParser
package import Basics
import Dockerfiles
import Engine
import Glibc
import Linux
import OCI
import Sessions
import Stores

/// `recipe`: the Dockerfile that makes the working image, or any image or container made here.
package struct RecipeCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "recipe", abstract: "Print, save or check the Dockerfile that makes an image",
        usage: """
            recipe [IMAGE|CONTAINER]
            recipe save DIR [IMAGE|CONTAINER]
            recipe parse FILE [--format json|ast]
            recipe check FILE
            recipe verify [IMAGE|CONTAINER]
            recipe plan FILE
            """)
    package static let examples = ["recipe", "recipe save hello", "recipe parse Dockerfile --format json"]
    package static let differences = [
        "Docker has no such command: a commit's record is 'bash'. Here every step is written down."
    ]

    @Argument(help: "save, parse, check, verify or plan and what it takes; or an image or container (@ without one).")
    var words: [String] = []
    @Option(help: "For parse: json or ast.") var format: String?
    @Option(help: "For check and plan: the build stage.") var target: String?
    @Option(name: .customLong("build-arg"), help: "For plan: a build argument (NAME=VALUE).") var arguments: [String] =
        []

    /// Differences that `verify` prints before it counts the rest.
    private static let shownDifferences = 20

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        switch words.first {
        case "save": return try save(shell)
        case "parse": return try parse(shell)
        case "check": return try check(shell)
        case "verify": return try verify(shell)
        case "plan": return try plan(shell)
        default:
            if words.count > 1 { throw ShaleError(.usage, "recipe takes one image or container", hint: "help recipe") }
            let recipe = try self.recipe(of: words.first ?? "@", shell)
            warn(recipe, shell)
            return .text(recipe.dockerfile)
        }
    }

    private func recipe(of text: String, _ shell: ShellContext) throws(ShaleError) -> Recipe {
        let image = try RecipeSubject(shell).image(text)
        var calledBase: String?
        if text == "@", let line = try shell.session().working?.base.instruction,
            case .from(let from)? = (try? Dockerfiles.Instruction.parse(line: line))?.value
        {
            calledBase = from.baseName
        }
        return try RecipeMaker.recipe(of: image, calledBase: calledBase, engine: shell.engine())
    }

    private func warn(_ recipe: Recipe, _ shell: ShellContext) {
        guard !recipe.masked.isEmpty else { return }
        shell.console.warning("the recipe holds values that look secret: \(recipe.masked.joined(separator: ", "))")
    }

    private func save(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        guard words.count == 2 || words.count == 3 else {
            throw ShaleError(.usage, "recipe save takes a directory", hint: "recipe save DIR")
        }
        let recipe = try self.recipe(of: words.count > 2 ? words[2] : "@", shell)
        try RecipeFolder(words[1], engine: shell.engine()).save(recipe, shell.cancellation)
        warn(recipe, shell)
        return .lines(["\(words[1])/Dockerfile"] + recipe.attachments.map { "\(words[1])/\($0.path)" })
    }

    private func verify(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        guard words.count <= 2 else { throw ShaleError(.usage, "recipe verify takes one image or container") }
        let image = try RecipeSubject(shell).image(words.count > 1 ? words[1] : "@")
        let differences = try shell.conversing { talk throws(ShaleError) in
            try shell.engine().verifyRecipe(of: image, talk)
        }
        if differences.isEmpty { return .line("the recipe makes \(image.id.short) again: same files, same config") }
        var lines = Array(differences.prefix(Self.shownDifferences))
        if differences.count > lines.count { lines.append("and \(differences.count - lines.count) more") }
        return Outcome(.lines(lines.map(\.visible)), status: 1)
    }

    /// What a build would do, worked out without running anything.
    private func plan(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        let host = PlannedPlatform(os: Platform.host.os, architecture: Platform.host.architecture)
        var options = Plan.Options(platform: host)
        options.target = target
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            options.arguments[parts[0]] = parts.count > 1 ? parts[1] : shell.console.environment[parts[0]]
        }
        let engine = try shell.engine()
        do throws(DockerfileError) {
            let plan = try Plan(Dockerfile(parsing: text), options: options) { base, platform in
                (try? engine.store.images.find(base)).map { PlannedImage($0, platform: platform) }
            }
            return .lines(PlanText.lines(plan))
        } catch {
            throw error.shaleError(inFile: name)
        }
    }

    private func source(_ shell: ShellContext) throws(ShaleError) -> (name: String, text: String) {
        guard words.count == 2 else {
            throw ShaleError(.usage, "recipe \(words[0]) takes a file", hint: "recipe \(words[0]) Dockerfile")
        }
        let name = words[1]
        let bytes = try translating(name) {
            name == "-" ? try OwnedFD(adopting: dup(shell.input)).readAll() : try WholeFile.read(name, limit: 16 << 20)
        }
        return (name, String(decoding: bytes, as: UTF8.self))
    }

    private func parse(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        do throws(DockerfileError) {
            let file = try Dockerfile(parsing: text)
            switch format ?? "json" {
            case "ast": return .text(file.dump + "\n")
            case "json":
                _ = try StagedFile(file)
                return .text(file.jsonRows.map { $0 + "\n" }.joined())
            default: break
            }
        } catch {
            throw error.shaleError(inFile: name)
        }
        throw ShaleError(.usage, "recipe parse: --format is json or ast")
    }

    private func check(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        do throws(DockerfileError) {
            let platform = PlannedPlatform(os: Platform.host.os, architecture: Platform.host.architecture)
            let (warnings, error) = try Lint.check(Dockerfile(parsing: text), target: target, platform: platform)
            if let error { throw error }
            if warnings.isEmpty { return .line("Check complete, no warnings found.") }
            var lines: [String] = []
            for warning in warnings {
                lines.append("WARNING: \(warning.rule) - \(warning.url)")
                lines.append("\(name):\(warning.line): \(warning.detail.visible)")
            }
            return Outcome(.lines(lines), status: 1)
        } catch {
            throw error.shaleError(inFile: name)
        }
    }
}

/// What `recipe`, `layers` and the like are about: `@`, `@~N`, `NAME@{N}`, an image, or a container's image with its changes.
struct RecipeSubject {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    /// The image a word names, `@` being the working image.
    func image(_ text: String) throws(ShaleError) -> Image {
        let engine = try shell.engine()
        if let image = try WorkingImageNames.image(text, shell) { return try engine.store.images.image(image) }
        do throws(ShaleError) {
            return try engine.store.images.find(text)
        } catch {
            guard error.code == .notFound, let container = try? engine.store.containers.find(text) else { throw error }
            // A container's recipe is that of the image its changes would make.
            return try engine.commitQuietly(container)
        }
    }
}
