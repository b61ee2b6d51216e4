import Basics
import Linux
import OCI
import Recipes
import Rendering

/// `recipe --remote` and `recipe verify --remote`: the recipe that hangs on an image in its registry.
struct RemoteRecipe {
    private let shell: ShellContext
    private let platform: Platform?
    private let file: String?

    init(_ shell: ShellContext, platform: Platform?, file: String?) {
        self.shell = shell
        self.platform = platform
        self.file = file
    }

    /// The Dockerfile, with control characters made visible, on a terminal and in a pipe.
    func print(_ words: [String], format: String?) throws(ShaleError) -> Outcome {
        guard words.count == 1 else {
            throw ShaleError(.usage, "recipe --remote takes one name", hint: "recipe --remote NAME")
        }
        if format != nil { throw ShaleError(.usage, "recipe --remote has no --format") }
        let recipe = try fetched(words[0])
        guard let file, file != "-" else { return .text(recipe.dockerfile.visibleLines) }
        try translating(file) {
            try UnnamedFile.write(
                recipe.dockerfile.pathBytes, to: file, mode: CallersUmask.applied(to: 0o644), followingLink: true)
        }
        return .done
    }

    func verify(_ words: [String], _ output: RecipeOutput) throws(ShaleError) -> Outcome {
        guard words.count == 1 else {
            throw ShaleError(
                .usage, "recipe verify --remote takes one name", hint: "recipe verify --remote NAME")
        }
        let recipe = try fetched(words[0])
        let recipes = try shell.recipes()
        return try output.prove(recipe.image.digest.description) { operation throws(ShaleError) in
            try recipes.verify(recipe, operation)
        }
    }

    private func fetched(_ text: String) throws(ShaleError) -> RecipeArtifact {
        let reference = try Reference(parsing: text)
        let recipes = try shell.recipes()
        return try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try recipes.remoteRecipe(of: reference, platform: platform, operation)
        }
    }
}
