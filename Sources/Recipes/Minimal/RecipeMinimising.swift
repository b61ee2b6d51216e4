package import Basics
import Explorer
import Images
import Layers
import OCI
import Stores

/// A shorter recipe that was proved by a build, and what it saves.
package struct ProvedProposal: Sendable {
    /// What changes, in words: `drop line 3 (RUN rm /x)`.
    package var words: String
    /// The layers and the bytes of the final image that it saves.
    package var layers: Int
    package var bytes: Int64
}

/// What `minimised` tells on the way.
package enum MinimisingEvent: Sendable {
    /// A build begins; the text says of what.
    case trying(String)
    /// A proposal that was tried and is not taken, and why.
    case left(String, reason: String)
    case took(ProvedProposal)
    /// Paths that no two builds of the recipe make alike; they do not count.
    case restless([String])
}

extension RecipeEngine {
    /// A recipe without what does not change its final image.
    ///
    /// Instructions without effect go, `RUN`s that undo each other are dropped or joined, and files that are copied in
    /// and removed later are not copied. Each change is proved by a build: its final files, without times, and its
    /// settings are those of the whole recipe. `accept` decides about each proved change.
    ///
    /// Throws `cancelled`, `invalid` when the recipe itself cannot be built, and what `accept` and reading the layers
    /// throw.
    package func minimised(
        _ recipe: Recipe, _ operation: OperationContext, accept: (ProvedProposal) throws(ShaleError) -> Bool,
        tell: @escaping (MinimisingEvent) -> Void
    ) throws(ShaleError) -> Recipe {
        let trial = try TrialBuild(recipe, engine: self, operation)
        defer { trial.end() }
        tell(.trying("building the recipe"))
        let numbered = NumberedRecipe(recipe)
        let whole = try made(trial.build(numbered.without([]), operation.quiet))
        var search = MinimalSearch(
            numbered, whole, trial: trial, facts: try MinimalFacts(numbered, whole, engine: self, operation),
            engine: self, operation: operation, tell: tell)
        try search.run(accept)
        return search.variant.result
    }
}

/// Tries changes of a recipe one after the other, and keeps those that are proved and accepted.
private struct MinimalSearch {
    private(set) var variant: RecipeVariant
    private let whole: TrialBuild.Made
    private var current: TrialBuild.Made
    private let trial: TrialBuild
    private let facts: MinimalFacts
    private let engine: RecipeEngine
    private let operation: OperationContext
    private let tell: (MinimisingEvent) -> Void
    /// The paths that differ in every build, once they were asked for.
    private var restless: Set<PathKey>?

    init(
        _ numbered: NumberedRecipe, _ whole: TrialBuild.Made, trial: TrialBuild, facts: MinimalFacts,
        engine: RecipeEngine, operation: OperationContext, tell: @escaping (MinimisingEvent) -> Void
    ) {
        variant = RecipeVariant(numbered: numbered)
        (self.whole, current) = (whole, whole)
        self.trial = trial
        self.facts = facts
        self.engine = engine
        self.operation = operation
        self.tell = tell
    }

    private var recipe: Recipe { variant.numbered.recipe }

    mutating func run(_ accept: (ProvedProposal) throws(ShaleError) -> Bool) throws(ShaleError) {
        for pair in facts.undone {
            guard !variant.isEdited(pair.made), !variant.isEdited(pair.removed) else { continue }
            var proposals = [RecipeProposal.dropping([pair.made, pair.removed])]
            if let mount = RecipeProposal.mounting(pair.made, pair.removed, of: variant) { proposals.append(mount) }
            if let join = RecipeProposal.joining(pair.made, pair.removed, of: variant) { proposals.append(join) }
            for proposal in proposals where try attempt(proposal, accept) { break }
        }
        // From the end: a line that is needed only by a line that goes may go too.
        for index in recipe.lines.indices.reversed() where facts.mayGo.contains(index) && !variant.isEdited(index) {
            _ = try attempt(.dropping([index]), accept)
        }
    }

    /// Tries one change; returns whether it was taken.
    private mutating func attempt(
        _ proposal: RecipeProposal, _ accept: (ProvedProposal) throws(ShaleError) -> Bool
    ) throws(ShaleError) -> Bool {
        let words = words(proposal)
        tell(.trying("trying to \(words)"))
        var next = variant
        next.edits.merge(proposal.edits) { $1 }
        let made: TrialBuild.Made
        switch try trial.build(next.text, operation.quiet) {
        case .made(let built): made = built
        case .failed(let line, let reason):
            tell(.left(words, reason: "\(line.map { "line \($0) fails: " } ?? "")\(reason)"))
            return false
        }
        if let reason = try difference(made) {
            tell(.left(words, reason: reason))
            return false
        }
        let sizes = try MadeDifference(current, made, engine: engine, operation).bytes
        let saved = ProvedProposal(
            words: words,
            layers: current.image.config.rootfs.diffIDs.count - made.image.config.rootfs.diffIDs.count,
            bytes: sizes.before.subtractingClamped(sizes.after))
        guard try accept(saved) else { return false }
        tell(.took(saved))
        (variant, current) = (next, made)
        return true
    }

    /// Why an image is not the recipe's; `nil` when it is.
    private mutating func difference(_ made: TrialBuild.Made) throws(ShaleError) -> String? {
        let difference = try MadeDifference(whole, made, engine: engine, operation)
        if let setting = difference.settings.first { return "the setting \(setting.dropFirst(2)) would be another" }
        if difference.paths.isEmpty { return nil }
        let restless = try restlessPaths()
        // What is missing or new is another thing than what differs in each build.
        let others = difference.paths.subtracting(restless.intersection(difference.changedPaths)).map(\.path).sorted(
            by: PathOrder.precedes)
        guard let first = others.first else { return nil }
        return "\(first)\(others.count > 1 ? " and \(others.count - 1) more" : "") would be different"
    }

    /// The paths that differ between two builds of the whole recipe, found once by a build without the cache.
    private mutating func restlessPaths() throws(ShaleError) -> Set<PathKey> {
        if let restless { return restless }
        tell(.trying("building the recipe once more without the cache"))
        let again = try TrialBuild(recipe, usesCache: false, engine: engine, operation)
        defer { again.end() }
        var found: Set<PathKey> = []
        if case .made(let built) = try again.build(variant.numbered.without([]), operation.quiet) {
            found = try MadeDifference(whole, built, engine: engine, operation).paths
        }
        restless = found
        if !found.isEmpty { tell(.restless(found.map(\.path).sorted(by: PathOrder.precedes))) }
        return found
    }

    private func words(_ proposal: RecipeProposal) -> String {
        func place(_ index: Int) -> String {
            let text = Secrets.masked(recipe.lines[index].text).text
            let first = text.split(separator: "\n").first.map(String.init) ?? text
            return "line \(variant.numbered.numbers[index]) (\(first))"
        }
        let places = proposal.lines.map(place)
        return switch proposal.kind {
        case .drop: "drop \(places.joined(separator: " and "))"
        case .join: "join \(places.joined(separator: " and "))"
        case .mount: "mount what \(places[0]) copies and \(places[1]) removes, where it is used"
        }
    }
}
