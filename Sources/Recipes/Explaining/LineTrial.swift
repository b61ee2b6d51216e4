package import Basics
import Explorer
import Images
import Layers
import OCI
import Stores

/// What one line of a recipe does, found by building the recipe with it and without it.
package struct LineTrial: Sendable {
    /// A later line that needs it.
    package struct Need: Sendable, Hashable {
        package enum Kind: Sendable, Hashable {
            /// The line fails without it; the reason is the build's.
            case fails(String)
            /// The line makes these paths differently without it.
            case differs([String])
        }

        /// The line in the Dockerfile, from 1.
        package var line: Int
        package var instruction: String
        package var kind: Kind
    }

    /// The line, or lines, of its instruction in the Dockerfile, from 1.
    package var lines: ClosedRange<Int>
    package var instruction: String
    package var facts: LineFacts
    /// The paths of the final image that are there, or as they are, because of it alone.
    package var onlyFromIt: [String] = []
    /// Paths that are there with it and without it, and differ.
    var changedPaths: Set<PathKey> = []
    /// Settings of the final image that differ without it: `+ Env A`.
    package var settingsWithout: [String] = []
    package var needs: [Need] = []
    /// Whether it was tried; a base is not, because every line after it needs it.
    package var wasTried = true
    /// Why the image without it could not be made; `nil` when it was made.
    package var obstacle: String?
    package var source: Recipe.LayerOwner?
}

extension RecipeEngine {
    /// Builds a recipe with and without one line, and returns what the line brings and which later lines need it.
    ///
    /// A later line that fails without it is left out as well, and the trial goes on. When a later line only makes
    /// something different, the recipe is built once more without the cache: what differs then too is not its doing.
    ///
    /// `tried` is called with a sentence before each build. Throws `notFound` for a line that is not there, `invalid`
    /// for a comment, `cancelled`, and `invalid` when the recipe itself cannot be built.
    package func tryWithout(
        line: Int, of recipe: Recipe, _ operation: OperationContext, tried: (String) -> Void,
        warn: @escaping (String) -> Void
    ) throws(ShaleError) -> LineTrial {
        let text = NumberedRecipe(recipe)
        let index = try text.instruction(atLine: line)
        tried("building the recipe")
        let trial = try TrialBuild(recipe, engine: self, operation)
        defer { trial.end() }
        let whole = try made(trial.build(text.without([]), operation.quiet))
        var found = LineTrial(
            lines: text.lines(of: index), instruction: Secrets.masked(recipe.lines[index].text).text,
            facts: try facts(of: text.numbers[index], in: whole, operation, warn))
        found.source = recipe.sources.indices.contains(index) ? recipe.sources[index] : nil
        guard recipe.lines[index].keyword != "FROM" else {
            found.wasTried = false
            return found
        }
        var dropped = [index]
        var without: TrialBuild.Made?
        while without == nil, found.obstacle == nil {
            tried("building it without line \(dropped.map { String(text.numbers[$0]) }.joined(separator: ", "))")
            switch try trial.build(text.without(dropped), operation.quiet) {
            case .made(let made): without = made
            case .failed(let line, let reason):
                guard let line, let failed = text.index(ofStepAt: line), !dropped.contains(failed) else {
                    found.obstacle = reason
                    break
                }
                found.needs.append(need(failed, text, .fails(reason)))
                if recipe.lines[failed].keyword == "FROM" { found.obstacle = reason }
                dropped.append(failed)
            }
        }
        guard let without else { return found }
        let difference = try MadeDifference(whole, without, engine: self, operation)
        try difference.sort(into: &found, text, dropped: dropped)
        if found.needs.contains(where: { if case .differs = $0.kind { true } else { false } }) {
            tried("building the recipe once more without the cache")
            try removeRestless(from: &found, whole, recipe, text, operation)
        }
        found.needs.sort { $0.line < $1.line }
        return found
    }

    func made(_ outcome: TrialBuild.Outcome) throws(ShaleError) -> TrialBuild.Made {
        switch outcome {
        case .made(let made): return made
        case .failed(let line, let reason):
            let place = line.map { "line \($0): " } ?? ""
            throw ShaleError(.invalid, "the recipe itself cannot be built: \(place)\(reason)", hint: "recipe verify")
        }
    }

    private func facts(
        of line: Int, in made: TrialBuild.Made, _ operation: OperationContext, _ warn: @escaping (String) -> Void
    ) throws(ShaleError) -> LineFacts {
        guard let place = made.steps.firstIndex(where: { $0.line == line }), let after = made.steps[place].image else {
            return LineFacts()
        }
        let reader = StepReader(self, operation, warn: warn)
        let before = place > 0 ? made.steps[place - 1].image : nil
        let (old, new) = (try before.map { id throws(ShaleError) in try store.images.image(id) }, try image(after))
        let isAbove = old.map { new.config.rootfs.diffIDs.starts(with: $0.config.rootfs.diffIDs) } ?? false
        let start = isAbove ? try old.map { image throws(ShaleError) in try reader.state(of: image) } : nil
        return try reader.facts(from: start, to: reader.state(of: new))
    }

    private func image(_ id: Digest) throws(ShaleError) -> Image { try store.images.image(id) }

    private func need(_ index: Int, _ text: NumberedRecipe, _ kind: LineTrial.Need.Kind) -> LineTrial.Need {
        LineTrial.Need(
            line: text.numbers[index], instruction: Secrets.masked(text.recipe.lines[index].text).text, kind: kind)
    }

    /// Removes differences that also two builds of the whole recipe have.
    private func removeRestless(
        from found: inout LineTrial, _ whole: TrialBuild.Made, _ recipe: Recipe, _ text: NumberedRecipe,
        _ operation: OperationContext
    ) throws(ShaleError) {
        let trial = try TrialBuild(recipe, usesCache: false, engine: self, operation)
        defer { trial.end() }
        guard case .made(let again) = try trial.build(text.without([]), operation.quiet) else { return }
        let restless = try MadeDifference(whole, again, engine: self, operation).paths
        let changing = restless.intersection(found.changedPaths)
        found.needs = found.needs.compactMap { need in
            guard case .differs(let paths) = need.kind else { return need }
            var need = need
            let left = paths.filter { !changing.contains(PathKey($0)) }
            need.kind = .differs(left)
            return left.isEmpty ? nil : need
        }
    }
}

/// A recipe with the line numbers of its instructions; lines can be left out without moving the others.
struct NumberedRecipe {
    let recipe: Recipe
    /// The first line of each recipe line in the Dockerfile, from 1.
    let numbers: [Int]

    init(_ recipe: Recipe) {
        self.recipe = recipe
        numbers = recipe.lineNumbers
    }

    /// The text with empty comments in place of some instructions.
    func without(_ dropped: [Int]) -> String {
        recipe.lines.indices.map { index in
            guard dropped.contains(index) else { return recipe.lines[index].text + "\n" }
            return String(repeating: "#\n", count: recipe.lines[index].height)
        }.joined()
    }

    func lines(of index: Int) -> ClosedRange<Int> {
        numbers[index]...(numbers[index] + recipe.lines[index].height - 1)
    }

    /// The instruction that a line of the Dockerfile belongs to.
    ///
    /// Throws `notFound` for a number that no line has, and `invalid` for a comment.
    func instruction(atLine line: Int) throws(ShaleError) -> Int {
        guard let index = recipe.lines.indices.first(where: { lines(of: $0).contains(line) }) else {
            throw ShaleError(
                .notFound, "there is no line \(line): the recipe has \(recipe.height) lines", hint: "recipe explain")
        }
        guard !recipe.lines[index].keyword.isEmpty else {
            throw ShaleError(.invalid, "line \(line) is a comment: no step is made of it", hint: "recipe explain")
        }
        return index
    }

    /// The instruction whose step a build places at a line.
    func index(ofStepAt line: Int) -> Int? {
        recipe.lines.indices.first { !recipe.lines[$0].keyword.isEmpty && lines(of: $0).contains(line) }
    }
}
