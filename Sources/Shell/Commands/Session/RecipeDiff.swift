import Basics
import Building
import Explorer
import Glibc
import Linux
import Recipes
import Rendering

/// `recipe diff A B`: two recipes, and what they make, side by side.
struct RecipeDiff {
    private let shell: ShellContext
    private let output: RecipeOutput
    private let isOfLines: Bool

    init(_ shell: ShellContext, _ output: RecipeOutput, isOfLines: Bool) {
        self.shell = shell
        self.output = output
        self.isOfLines = isOfLines
    }

    /// Status 0 also where they differ; 1 where the images could not be made to be compared.
    func outcome(_ words: [String], format: String?) throws(ShaleError) -> Outcome {
        guard words.count == 2 else {
            throw ShaleError(
                .usage, "recipe diff takes two images, containers or Dockerfiles", hint: "recipe diff @~2 @")
        }
        let sides = (old: try side(words[0]), new: try side(words[1]))
        let lines = UnifiedDiff.lines(
            sides.old.dockerfile.pathBytes, sides.new.dockerfile.pathBytes, names: (words[0], words[1]))
        var made: ImageComparison?
        var failure: ShaleError?
        if !isOfLines {
            do throws(ShaleError) {
                made = try compared(sides.old, sides.new)
            } catch {
                // The lines are known also where a Dockerfile cannot be built.
                guard sides.old.isFile || sides.new.isFile, error.code != .cancelled else { throw error }
                failure = error
            }
        }
        if let failure { shell.console.report(failure) }
        let status: Int32 = failure == nil ? 0 : 1
        if format == "json" {
            var members = [JSONDocument.Member("lines", .array(lines.map { .string($0) }))]
            if let made { members += MadeDifferences(made).members }
            return Outcome(.lines([JSONDocument.object(members).text()]), status: status)
        }
        var text = lines.isEmpty ? ["lines: no difference"] : lines.map(\.visible)
        if let made { text += MadeDifferences(made).lines(further: "recipe diff --format json") }
        return Outcome(.paged(text), status: status)
    }

    private func compared(_ old: RecipeSide, _ new: RecipeSide) throws(ShaleError) -> ImageComparison {
        let recipes = try shell.recipes()
        return try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try VerificationOutput.briefly(operation) { told throws(ShaleError) in
                try recipes.compare(old, new, told) { shell.console.warning($0.visible) }
            }
        }
    }

    /// An image or a container of that name; else the Dockerfile of the host, or the one in a folder.
    private func side(_ word: String) throws(ShaleError) -> RecipeSide {
        if RecipeFile.isPath(word) { return try RecipeFile(word).side }
        let subject: RecipeSubject
        do throws(ShaleError) {
            subject = try output.subject(word)
        } catch {
            guard RecipeFile.exists(word) else { throw error }
            return try RecipeFile(word).side
        }
        let recipe = try output.given(subject, named: word).recipe
        let source: RecipeSide.Source =
            switch subject {
            case .image(let image): .image(image)
            case .container(let record): .container(record)
            }
        return RecipeSide(name: word, dockerfile: recipe.dockerfile, source: source)
    }
}

/// A Dockerfile of the host, or a folder with one.
struct RecipeFile {
    let path: String
    /// The folder that is its context: the one it lies in.
    let context: String
    let text: String
    private let name: String

    /// Throws the file system's error when the file cannot be read.
    init(_ word: String) throws(ShaleError) {
        let isFolder = (try? FileStatus.of(hostPath: word, followingLink: true))?.kind == .directory
        name = word
        path = isFolder ? word.appendingPath("Dockerfile") : word
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        context = isFolder ? word : parts.isEmpty ? "." : parts == [""] ? "/" : parts.joined(separator: "/")
        let place = path
        text = String(pathBytes: try translating(place) { try WholeFile.read(place, limit: 16 << 20) })
    }

    /// Whether a word can only be a path of the host.
    static func isPath(_ word: String) -> Bool {
        word == "." || word == ".." || ["/", "./", "../"].contains { word.hasPrefix($0) }
    }

    static func exists(_ word: String) -> Bool { access(word, F_OK) == 0 }

    var side: RecipeSide {
        RecipeSide(
            name: name, dockerfile: Secrets.masked(text).text, source: .file(path: path, context: context))
    }
}
