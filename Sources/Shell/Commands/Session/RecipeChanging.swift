import Basics
import Linux
import Recipes
import Rendering

/// How a recipe is changed before it is given out.
struct RecipeChanges {
    /// Finds a shorter recipe of the same image; `nil` where none was asked for.
    let minimal: MinimalOutput?
    var isTidy = false
    var isPinned = false
    /// Whether packages that came in beside the named ones are named too.
    var isLocked = false
    /// The file for the list of all that is pinned.
    var lock: String?
    /// Whether two builds of it are to give one digest.
    var isReproducible = false

    /// Throws `usage` for an option of `--pin` without it.
    init(
        minimal: MinimalOutput?, tidy: Bool, pin: Bool, locked: Bool, lock: String?, reproducible: Bool
    ) throws(ShaleError) {
        self.minimal = minimal
        guard pin || (!locked && lock == nil) else {
            throw ShaleError(
                .usage, "recipe: \(locked ? "--locked" : "--lock") is for --pin",
                hint: "recipe --pin --lock recipe.lock")
        }
        (isTidy, isPinned, isLocked, self.lock) = (tidy, pin, locked, lock)
        isReproducible = reproducible
    }
}

/// A recipe as it is given out.
struct ChangedRecipe {
    var recipe: Recipe
    /// What a pinned recipe holds at which version.
    var lock: RecipeLock?
    /// 1 for a recipe that was to be reproducible and is not.
    var status: Int32 = 0

    /// The text of the lock, with the line numbers of the recipe as it is now.
    func lockText(showsSecrets: Bool) -> String? {
        lock.map { $0.text(of: recipe) }.map { showsSecrets ? $0 : Secrets.masked($0).text }
    }

    /// Writes the lock to a file, where one is asked for.
    func writeLock(_ path: String?, showsSecrets: Bool) throws(ShaleError) {
        guard let path, let lock = lockText(showsSecrets: showsSecrets) else { return }
        let mode = CallersUmask.applied(to: showsSecrets ? 0o600 : 0o644)
        try translating(path) { try UnnamedFile.write(lock.pathBytes, to: path, mode: mode, followingLink: true) }
    }
}

/// Pins and tidies a recipe, and makes it reproducible.
struct RecipeChanging {
    /// Carries a build out, and says on standard error how far it is.
    typealias Told = ((OperationContext) throws(ShaleError) -> Reproduction) throws(ShaleError) -> Reproduction

    /// The paths that are named before the rest is counted.
    private static let shown = 20

    private let shell: ShellContext
    private let changes: RecipeChanges
    private let told: Told

    init(_ shell: ShellContext, _ changes: RecipeChanges, told: @escaping Told) {
        self.shell = shell
        self.changes = changes
        self.told = told
    }

    func changed(_ recipe: Recipe, of subject: RecipeSubject) throws(ShaleError) -> ChangedRecipe {
        var result = ChangedRecipe(recipe: try changes.minimal?.made(of: recipe) ?? recipe)
        var lock: RecipeLock?
        if changes.isPinned {
            let recipe = result.recipe
            let pinned = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
                try shell.recipes().pinned(recipe, locked: changes.isLocked, operation)
            }
            (result.recipe, lock) = (pinned.recipe, pinned.lock)
        }
        if changes.isTidy { result.recipe = try shell.recipes().tidied(result.recipe) }
        if changes.isReproducible { try reproduce(&result, subject) }
        result.lock = lock
        return result
    }

    private func reproduce(_ result: inout ChangedRecipe, _ subject: RecipeSubject) throws(ShaleError) {
        let causes = try DifferenceCauses(shell.console.environment)
        let recipe = result.recipe
        let found = try told { operation throws(ShaleError) in
            try shell.recipes().reproducible(recipe, of: subject, rules: causes.all, operation)
        }
        result.recipe = found.recipe
        for refused in found.refused { shell.console.warning("recipe: \(refused)".visible) }
        if let digest = found.digest {
            let rounds = found.rounds == 1 ? "one round" : "\(found.rounds) rounds"
            shell.console.note("two builds gave one image, in \(rounds): \(digest)")
        } else {
            result.status = 1
            shell.console.warning("recipe: two builds still differ")
            tell(found.differing, "paths")
        }
        tellWhatIsLeftOut(found.fromOriginal, causes)
    }

    /// Names what the recipe does not make as the original has it; what a rule knows is only counted.
    private func tellWhatIsLeftOut(_ differences: [RecipeDifference], _ causes: DifferenceCauses) {
        guard !differences.isEmpty else { return }
        var kinds: [DifferenceRule.Kind: Int] = [:]
        for difference in differences {
            if let rule = causes.rule(for: difference) { kinds[rule.kind, default: 0] += 1 }
        }
        let known = DifferenceRule.Kind.allCases.compactMap { kind in kinds[kind].map { "\(kind.rawValue) \($0)" } }
        let words = differences.count == 1 ? "one path is" : "\(differences.count) paths are"
        let causesKnown = known.isEmpty ? "" : " (known causes: \(known.joined(separator: ", ")))"
        shell.console.note("\(words) not as in the original\(causesKnown)")
        tell(differences.filter { causes.rule(for: $0) == nil }, "paths")
    }

    private func tell(_ differences: [RecipeDifference], _ what: String) {
        for difference in differences.prefix(Self.shown) {
            shell.console.note("  \(RecipeOutput.line(difference))".visible)
        }
        if differences.count > Self.shown {
            shell.console.note("  and \(differences.count - Self.shown) more \(what)")
        }
    }
}
