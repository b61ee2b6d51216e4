package import Basics
import Dockerfiles
import Explorer
import Images
import OCI

/// A pinned recipe and the lock beside it.
package struct PinnedRecipe: Sendable {
    package var recipe: Recipe
    package var lock: RecipeLock
}

extension RecipeEngine {
    /// The recipe with what its steps installed written down: packages at their versions, downloads with checksums.
    ///
    /// Versions are read from the package databases of each step's layers. What cannot be pinned is said in a comment
    /// above its line. With `locked`, packages that came in beside the named ones are named too. The bases are pinned by
    /// `RecipeMaker`. Throws what reading the layers throws.
    package func pinned(
        _ recipe: Recipe, locked: Bool, _ operation: OperationContext
    ) throws(ShaleError) -> PinnedRecipe {
        var pinning = RecipePinning(recipe, engine: self, locked: locked)
        for index in recipe.lines.indices {
            try operation.cancellation.check()
            try pinning.take(index, operation)
        }
        return PinnedRecipe(recipe: pinning.result, lock: pinning.lock)
    }
}

/// Pins a recipe line by line.
private struct RecipePinning {
    private let recipe: Recipe
    private let engine: RecipeEngine
    private let locked: Bool
    private(set) var result: Recipe
    private(set) var lock = RecipeLock()
    private var facts: [Recipe.LayerOwner: StepFacts?] = [:]
    private var packages: [Digest: [InstalledPackage]] = [:]
    /// For each step, the packages that it brought and that none of its lines names.
    private var others: [Recipe.LayerOwner: [InstalledPackage]] = [:]
    /// For each step, the last of its lines: a container's commands are several.
    private let lastLines: [Recipe.LayerOwner: Int]

    init(_ recipe: Recipe, engine: RecipeEngine, locked: Bool) {
        (self.recipe, self.engine, self.locked) = (recipe, engine, locked)
        result = recipe
        result.lines = []
        result.sources = []
        var last: [Recipe.LayerOwner: Int] = [:]
        for (index, source) in recipe.sources.enumerated() where recipe.lines[index].keyword == "RUN" {
            if let source { last[source] = index }
        }
        lastLines = last
    }

    private mutating func add(_ line: Recipe.Line, _ source: Recipe.LayerOwner?) {
        result.lines.append(line)
        if !recipe.sources.isEmpty { result.sources.append(source) }
    }

    mutating func take(_ index: Int, _ operation: OperationContext) throws(ShaleError) {
        let line = recipe.lines[index]
        let source = recipe.sources.indices.contains(index) ? recipe.sources[index] : nil
        if line.keyword == "FROM", let base = RecipeLock.Base(line.text, comment: result.lines.last) {
            lock.bases.append(base)
        }
        guard line.keyword == "RUN", case .instruction(let text) = line, let source else { return add(line, source) }
        guard let step = try facts(of: source, operation) else {
            if RunLine(text).mayInstall {
                add(.comment("not pinned: what this step was made from is not here any more"), source)
            }
            return add(line, source)
        }
        var pinned = try RunLine(text).pinned(step, locked: locked, others: &others[source, default: []])
        if lastLines[source] == index { takeRest(of: source, into: &pinned) }
        for note in pinned.notes { add(.comment("not pinned: \(note)"), source) }
        for remark in pinned.remarks { add(.comment(remark), source) }
        result.pins.formUnion(pinned.packages.map { "\($0.package.name)=\($0.package.version)" })
        if !pinned.packages.isEmpty || !pinned.files.isEmpty {
            lock.steps.append(
                RecipeLock.Step(
                    instruction: text, pinned: String(pinned.text.drop { $0 != " " }.dropFirst()),
                    packages: pinned.packages, files: pinned.files))
        }
        add(.instruction(pinned.text), source)
    }

    /// What a step found and left, read once; `nil` when what it was made from is not here any more.
    private mutating func facts(
        of source: Recipe.LayerOwner, _ operation: OperationContext
    ) throws(ShaleError) -> StepFacts? {
        if let known = facts[source] { return known }
        let step = try StepFacts(of: source, engine: engine, known: &packages, operation)
        facts[source] = .some(step)
        guard let step else { return nil }
        var named: Set<InstalledPackage> = []
        for (line, owner) in zip(recipe.lines, recipe.sources) where owner == source && line.keyword == "RUN" {
            named.formUnion(RunLine(line.text).named(step))
        }
        others[source] = step.added.filter { !named.contains($0) }
        return step
    }

    /// Says which packages a step brought without a command that shale reads, and locks them.
    private mutating func takeRest(of source: Recipe.LayerOwner, into pinned: inout RunLine.Pinned) {
        let rest = others[source] ?? []
        guard !rest.isEmpty else { return }
        others[source] = []
        pinned.packages += rest.map { PinnedCommand.Locked(package: $0, isNamed: false) }
        let names = rest.prefix(5).map(\.name).joined(separator: ", ")
        let more = rest.count > 5 ? " and \(rest.count - 5) more" : ""
        pinned.notes.append("no command that shale reads names what came in: \(names)\(more)")
    }
}

/// A `RUN` line, in the shell form or the exec form.
private struct RunLine {
    private let text: String

    init(_ text: String) { self.text = text }

    struct Pinned {
        var text: String
        var notes: [String] = []
        var remarks: [String] = []
        var packages: [PinnedCommand.Locked] = []
        var files: [PinnedCommand.File] = []
    }

    var mayInstall: Bool { text.contains("install") || text.contains("apk add") }

    /// The text for the shell that a line is or holds, and where it begins.
    private struct Script {
        var text: String
        var start = 0
        /// The words before the text in the exec form; `nil` for the shell form.
        var words: [String]?
        /// Whether the exec form names a shell and its text.
        var isShellCall = false
    }

    private var script: Script? {
        guard let parsed = try? Instruction.parse(line: text), case .run(let run) = parsed.value, run.heredocs.isEmpty,
            run.flagsUsed.isEmpty
        else { return nil }
        if run.command.usesShell {
            // Behind the keyword and the blanks.
            return Script(text: text, start: text.utf8.prefix { !" \t\\\n".utf8.contains($0) }.count)
        }
        // `["/bin/sh", "-c", TEXT]` is written for a text that does not fit in one line.
        let words = run.command.words
        let isShellCall = words.count == 3 && RecipeMaker.isPosix([words[0]]) && words[1] == "-c"
        return Script(
            text: isShellCall ? words[2] : words.map(\.shellQuoted).joined(separator: " "), words: words,
            isShellCall: isShellCall)
    }

    private func hasReadShell(_ script: Script, _ facts: StepFacts) -> Bool {
        script.words != nil || RecipeMaker.isPosix(facts.shell)
    }

    /// The packages that the line's commands name.
    func named(_ facts: StepFacts) -> Set<InstalledPackage> {
        guard let script, hasReadShell(script, facts) else { return [] }
        return PinnedCommand(script.text, from: script.start, facts, locked: false).named.packages
    }

    func pinned(
        _ facts: StepFacts, locked: Bool, others: inout [InstalledPackage]
    ) throws(ShaleError) -> Pinned {
        guard let script else { return Pinned(text: text) }
        guard hasReadShell(script, facts) else {
            return Pinned(text: text, notes: mayInstall ? ["the image has a SHELL of its own"] : [])
        }
        var command = PinnedCommand(script.text, from: script.start, facts, locked: locked)
        try command.pin(others: &others)
        var result = Pinned(
            text: text, notes: command.notes, remarks: command.remarks, packages: command.locked, files: command.files)
        guard command.text != script.text else { return result }
        if script.isShellCall, let words = script.words {
            result.text = "RUN \(ConfigInstructions.array([words[0], words[1], command.text]))"
        } else if script.words != nil {
            result.text = "RUN \(RunText.line(of: command.text, shell: ["/bin/sh", "-c"]))"
        } else {
            result.text = command.text
        }
        return result
    }
}
