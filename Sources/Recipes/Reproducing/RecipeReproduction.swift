package import Basics
import Building
import Glibc
import Images
package import OCI
import Stores
import Synchronization

/// A recipe that makes the same image each time, or the paths that it still makes otherwise.
package struct Reproduction: Sendable {
    package fileprivate(set) var recipe: Recipe
    /// How often it was built twice.
    package fileprivate(set) var rounds = 0
    /// What two builds of the recipe still make otherwise; empty when both gave one digest.
    package fileprivate(set) var differing: [RecipeDifference] = []
    /// Changes that were taken back, each with the reason.
    package fileprivate(set) var refused: [String] = []
    /// What the original has otherwise than the image of the recipe.
    package fileprivate(set) var fromOriginal: [RecipeDifference] = []
    /// The digest of the image's manifest that both builds gave.
    package fileprivate(set) var digest: Digest?
}

extension RecipeEngine {
    /// Changes a recipe until two builds of it give one digest.
    ///
    /// Each round builds it twice without the cache, looks for rules that know what came out otherwise, and adds what
    /// mends it to the steps. A change with which a step fails is taken back. All times later than the original's are
    /// written as that moment (`SOURCE_DATE_EPOCH`, which the recipe declares). Throws what saving and building throw.
    package func reproducible(
        _ recipe: Recipe, of subject: RecipeSubject, rules: DifferenceRules, _ operation: OperationContext
    ) throws(ShaleError) -> Reproduction {
        let moment: Timestamp =
            switch subject {
            case .image(let image): image.config.created ?? .epoch
            case .container(let record): record.created
            }
        var reproducer = Reproducer(recipe.dated(at: max(0, moment.seconds)), of: subject, rules, engine: self)
        try reproducer.run(operation)
        return reproducer.result
    }
}

extension Recipe {
    /// The recipe with a moment that stands for all later times, in force in each stage.
    fileprivate func dated(at seconds: Int64) -> Recipe {
        var recipe = self
        recipe.lines = []
        recipe.sources = []
        func add(_ line: Line, _ source: LayerOwner?) {
            recipe.lines.append(line)
            if !sources.isEmpty { recipe.sources.append(source) }
        }
        add(.comment("the moment of the original: no time that is written is later"), nil)
        add(.instruction("ARG SOURCE_DATE_EPOCH=\(seconds)"), nil)
        for (index, line) in lines.enumerated() {
            add(line, sources.indices.contains(index) ? sources[index] : nil)
            if line.keyword == "FROM" { add(.instruction("ARG SOURCE_DATE_EPOCH"), nil) }
        }
        return recipe
    }

    fileprivate mutating func insert(_ line: Line, at index: Int) {
        lines.insert(line, at: index)
        if !sources.isEmpty { sources.insert(nil, at: min(index, sources.count)) }
    }
}

/// The rounds of `RecipeEngine.reproducible`.
private struct Reproducer {
    /// More rounds find nothing: each mends all that a rule knows.
    private static let mostRounds = 5

    private let engine: RecipeEngine
    private let subject: RecipeSubject
    private let rules: DifferenceRules
    private(set) var result: Reproduction
    /// Commands that were tried at a line and made it fail; by the line's own text and the command.
    private var impossible: Set<[String]> = []
    /// The recipe before the last changes.
    private var before: Recipe
    /// The last changes: the text of the line before, and the command.
    private var latest: [(line: String, command: String)] = []

    init(_ recipe: Recipe, of subject: RecipeSubject, _ rules: DifferenceRules, engine: RecipeEngine) {
        self.engine = engine
        self.subject = subject
        self.rules = rules
        before = recipe
        result = Reproduction(recipe: recipe)
    }

    mutating func run(_ operation: OperationContext) throws(ShaleError) {
        while result.rounds < Self.mostRounds {
            result.rounds += 1
            let failed = FailedLine()
            let found: [StepDifferences.Found]
            do throws(ShaleError) {
                found = try buildTwice(failed, operation)
            } catch {
                guard error.code != .cancelled, !latest.isEmpty, let line = failed.line else { throw error }
                takeBack(line, error)
                continue
            }
            result.differing = found.map(\.difference)
            guard !found.isEmpty, result.rounds < Self.mostRounds, mend(found) else { return }
        }
    }

    // MARK: Builds

    /// Notes the line whose step failed.
    private final class FailedLine: Sendable {
        private let state = Mutex<Int?>(nil)
        var line: Int? { state.withLock { $0 } }
        func note(_ line: Int) { state.withLock { $0 = line } }
    }

    /// Builds the recipe twice, and compares the steps; with equal images it is compared with the original too.
    private mutating func buildTwice(
        _ failed: FailedLine, _ operation: OperationContext
    ) throws(ShaleError) -> [StepDifferences.Found] {
        let scratch = try ScratchFolder(in: engine.store)
        let folder = "\(scratch.path)/recipe"
        let recipe = result.recipe
        _ = try RecipeFolder(folder, engine: engine).save(recipe, operation.cancellation)
        let (engine, subject) = (engine, subject)
        let outcome = try engine.trial(folder, failed: failed.note, operation) { one, steps throws(ShaleError) in
            try Self.waitForAnotherSecond(operation.cancellation)
            return try engine.trial(folder, failed: failed.note, operation) { other, others throws(ShaleError) in
                var found = try StepDifferences(recipe, steps, others, engine: engine).found
                if found.isEmpty, one.id != other.id {
                    found.append(
                        StepDifferences.Found(
                            index: 0, difference: RecipeDifference(subject: "config", what: "differs each time")))
                }
                let differences = try RecipeComparison(recipe, of: subject, against: one, steps, engine: engine)
                    .differences(operation.cancellation)
                return (found, differences, one.manifestDescriptor.digest)
            }
        }
        result.fromOriginal = outcome.1
        result.digest = outcome.0.isEmpty ? outcome.2 : nil
        return outcome.0
    }

    /// Waits, so that a time that is written in whole seconds is another one in the second build.
    private static func waitForAnotherSecond(_ cancellation: Cancellation) throws(ShaleError) {
        for _ in 0..<11 {
            try cancellation.check()
            usleep(100_000)
        }
    }

    // MARK: Changes

    /// Adds what the rules know; returns whether anything was added.
    private mutating func mend(_ found: [StepDifferences.Found]) -> Bool {
        var commands: [Int: [DifferenceRule]] = [:]
        for entry in found {
            guard let place = rules.place(for: entry.difference) else { continue }
            let rule = rules.rules[place]
            let isKnown = commands[entry.index]?.contains { $0.mend == rule.mend } ?? false
            if rule.mend != nil, !isKnown { commands[entry.index, default: []].append(rule) }
        }
        before = result.recipe
        latest = []
        // From the end on, so that what is inserted moves no line that is still to come.
        for (index, rules) in commands.sorted(by: { $0.key > $1.key }) {
            for rule in rules.reversed() { add(rule, at: index) }
        }
        return !latest.isEmpty
    }

    private mutating func add(_ rule: DifferenceRule, at index: Int) {
        // Comments were put above the line meanwhile.
        guard let place = result.recipe.lines.indices.first(where: { $0 >= index && isInstruction($0) }) else { return }
        let text = result.recipe.lines[place].text
        switch rule.mend {
        case .command(let command)?:
            guard !impossible.contains([text, command]), !text.contains(command),
                let mended = MendedLine.text(text, endingWith: command)
            else { return }
            result.recipe.lines[place] = .instruction(mended)
            result.recipe.insert(.comment("\(rule.kind.rawValue): \(rule.cause)"), at: place)
            latest.append((text, command))
        case .instruction(let instruction)?:
            let start = result.recipe.lines[...place].lastIndex { $0.keyword == "FROM" } ?? 0
            let isThere = result.recipe.lines[start...place].contains { $0.text == instruction }
            guard !isThere, !impossible.contains([text, instruction]) else { return }
            result.recipe.insert(.instruction(instruction), at: place)
            result.recipe.insert(.comment("\(rule.kind.rawValue): \(rule.cause)"), at: place)
            latest.append((text, instruction))
        case nil: break
        }
    }

    private func isInstruction(_ index: Int) -> Bool {
        if case .instruction = result.recipe.lines[index] { true } else { false }
    }

    /// Goes back to the recipe before the last changes, and notes those of the failed line as impossible.
    private mutating func takeBack(_ number: Int, _ error: ShaleError) {
        var line = 1
        var text = ""
        for candidate in result.recipe.lines {
            if line <= number, number < line + candidate.height { text = candidate.text }
            line += candidate.height
        }
        let guilty = latest.filter { text.hasPrefix($0.line) || text.contains($0.command) }
        for change in guilty.isEmpty ? latest : guilty {
            impossible.insert([change.line, change.command])
            let first = change.line.split(separator: "\n").first.map(String.init) ?? change.line
            result.refused.append(
                "'\(change.command)' is left out of '\(Secrets.masked(first).text)': \(error.message)")
        }
        result.recipe = before
        latest = []
        // The changes that did no harm are found again.
    }
}

extension RecipeEngine {
    /// Builds a folder without the cache, and passes the image and its steps on; nothing of it stays.
    fileprivate func trial<Result>(
        _ folder: String, failed: @escaping @Sendable (Int) -> Void, _ operation: OperationContext,
        _ body: (Image, BuiltSteps) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let steps = BuiltSteps()
        var request = BuildRequest(source: .directory(folder))
        request.steps.usesCache = false
        request.steps.fillsCache = false
        request.observe = { event in
            switch event {
            case .ended(let place, let image?, _, _): steps.note(image, line: place.line)
            case .failed(let place, _, _, _): failed(place.line)
            default: break
            }
        }
        return try building.withTrialBuild(request, known: try knownImages(), operation) { image throws(ShaleError) in
            try body(image, steps)
        }
    }
}
