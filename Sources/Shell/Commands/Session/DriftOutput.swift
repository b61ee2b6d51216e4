import Basics
import Explorer
import Layers
import OCI
import Recipes
import Rendering

/// `recipe drift [REF|FILE]`: what an unpinned build would make differently today.
struct DriftOutput {
    private let shell: ShellContext
    private let output: RecipeOutput

    init(_ shell: ShellContext, _ output: RecipeOutput) {
        self.shell = shell
        self.output = output
    }

    /// Status 0 when nothing would be different, and 1 when something would.
    func outcome(_ words: [String], format: String?) throws(ShaleError) -> Outcome {
        guard words.count <= 1 else {
            throw ShaleError(
                .usage, "recipe drift takes one image, container or Dockerfile", hint: "recipe drift app:1")
        }
        // Read before the build: a rule that is none is told at once.
        let causes = try DifferenceCauses(shell.console.environment)
        let drift = try drift(of: words.first ?? "@")
        let sorted = DriftedFiles(drift.made, causes)
        let status: Int32 = drift.hasMovedBase || !sorted.today.isNone ? 1 : 0
        for line in drift.unknownLines {
            shell.console.note("line \(line) was not in the cache: what it made before is not known")
        }
        if format == "json" { return Outcome(.lines([Self.document(drift, sorted).text()]), status: status) }
        var lines = drift.bases.map(Self.line)
        if sorted.today.isNone {
            lines.append(drift.hasMovedBase ? "it would be made alike" : "nothing would be different today")
        } else {
            lines += sorted.today.lines(further: "recipe drift --format json")
        }
        if !sorted.always.isEmpty {
            let kinds = Set(sorted.always.map(\.kind.rawValue)).sorted().joined(separator: ", ")
            lines.append("\(sorted.always.count) more differ in every build (\(kinds)): 'recipe verify' names them")
        }
        return Outcome(.paged(lines.map(\.visible)), status: status)
    }

    private func drift(of word: String) throws(ShaleError) -> RecipeDrift {
        let recipes = try shell.recipes()
        let warn = { (text: String) in shell.console.warning(text.visible) }
        let isPath = RecipeFile.isPath(word)
        var subject: RecipeSubject?
        if !isPath {
            do throws(ShaleError) {
                subject = try output.subject(word)
            } catch {
                guard RecipeFile.exists(word) else { throw error }
            }
        }
        guard let subject else {
            let file = try RecipeFile(word)
            return try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
                try VerificationOutput.briefly(operation) { told throws(ShaleError) in
                    try recipes.drift(
                        ofFile: file.path, context: file.context, text: file.text, called: word, told, warn: warn)
                }
            }
        }
        let recipe = try output.recipe(of: subject, named: word, basesAsCalled: true)
        return try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try VerificationOutput.briefly(operation) { told throws(ShaleError) in
                try recipes.drift(of: recipe, subject, called: word, told, warn: warn)
            }
        }
    }

    private static func line(_ base: RecipeDrift.Base) -> String {
        switch base.state {
        case .same(let digest): "base \(base.name): \(digest), the same today"
        case .moved(let old, let new): "base \(base.name): \(old?.description ?? "not known") -> \(new)"
        case .pinned: "base \(base.name): pinned"
        case .local: "base \(base.name): not from a registry, taken as it is here"
        }
    }

    private static func document(_ drift: RecipeDrift, _ sorted: DriftedFiles) -> JSONDocument {
        let bases = drift.bases.map { base in
            var (state, old, new): (String, String?, String?) = ("same", nil, nil)
            switch base.state {
            case .same(let digest): (old, new) = (digest.description, digest.description)
            case .moved(let before, let after): (state, old, new) = ("moved", before?.description, after.description)
            case .pinned: state = "pinned"
            case .local: state = "local"
            }
            return JSONDocument.members([
                "name": .string(base.name), "state": .string(state), "old": old.map { .string($0) } ?? .null,
                "new": new.map { .string($0) } ?? .null,
            ])
        }
        var members = [JSONDocument.Member("bases", .array(bases))] + sorted.today.members
        let always = sorted.always.map { file in
            JSONDocument.members(["path": .string(file.path), "kind": .string(file.kind.rawValue)])
        }
        members.append(.init("inEveryBuild", .array(always)))
        return .object(members)
    }
}

/// The differences of two builds, without the files that differ in every build: logs, caches, times, random bytes.
private struct DriftedFiles {
    let today: MadeDifferences
    let always: [(path: String, kind: DifferenceRule.Kind)]

    init(_ made: ImageComparison, _ causes: DifferenceCauses) {
        var always: [(path: String, kind: DifferenceRule.Kind)] = []
        var left = made
        left.files = made.files.filter { file in
            let what = file.reasons.map(\.rawValue).sorted().joined(separator: ", ")
            let rule = causes.rule(for: RecipeDifference(subject: file.path, what: what))
            guard !file.isParentOnly, let kind = rule?.kind, kind != .network else { return true }
            always.append((file.path, kind))
            return false
        }
        today = MadeDifferences(left)
        self.always = always
    }
}
