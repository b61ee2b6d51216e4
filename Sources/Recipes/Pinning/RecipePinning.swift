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
        var pinned = recipe
        pinned.lines = []
        pinned.sources = []
        var lock = RecipeLock()
        var facts: [Recipe.LayerOwner: StepFacts?] = [:]
        var packages: [Digest: [InstalledPackage]] = [:]
        func add(_ line: Recipe.Line, _ source: Recipe.LayerOwner?) {
            pinned.lines.append(line)
            if !recipe.sources.isEmpty { pinned.sources.append(source) }
        }
        for (index, line) in recipe.lines.enumerated() {
            try operation.cancellation.check()
            let source = recipe.sources.indices.contains(index) ? recipe.sources[index] : nil
            if line.keyword == "FROM", let base = RecipeLock.Base(line.text, comment: pinned.lines.last) {
                lock.bases.append(base)
            }
            guard line.keyword == "RUN", case .instruction(let text) = line, let source else {
                add(line, source)
                continue
            }
            if facts[source] == nil {
                facts[source] = try StepFacts(of: source, engine: self, known: &packages, operation)
            }
            guard let step = facts[source] ?? nil else {
                if RunLine(text).mayInstall {
                    add(.comment("not pinned: what this step was made from is not here any more"), source)
                }
                add(line, source)
                continue
            }
            let result = try RunLine(text).pinned(step, locked: locked)
            for note in result.notes { add(.comment("not pinned: \(note)"), source) }
            if !result.packages.isEmpty || !result.files.isEmpty {
                lock.steps.append(
                    RecipeLock.Step(
                        instruction: text, pinned: String(result.text.drop { $0 != " " }.dropFirst()),
                        packages: result.packages, files: result.files))
            }
            add(.instruction(result.text), source)
        }
        return PinnedRecipe(recipe: pinned, lock: lock)
    }
}

/// A `RUN` line, in the shell form or the exec form.
private struct RunLine {
    private let text: String

    init(_ text: String) { self.text = text }

    struct Pinned {
        var text: String
        var notes: [String] = []
        var packages: [PinnedCommand.Locked] = []
        var files: [PinnedCommand.File] = []
    }

    var mayInstall: Bool { text.contains("install") || text.contains("apk add") }

    func pinned(_ facts: StepFacts, locked: Bool) throws(ShaleError) -> Pinned {
        guard let parsed = try? Instruction.parse(line: text), case .run(let run) = parsed.value, run.heredocs.isEmpty,
            run.flagsUsed.isEmpty
        else { return Pinned(text: text) }
        guard RecipeMaker.isPosix(run.command.usesShell ? facts.shell : ["sh"]) else {
            return Pinned(text: text, notes: mayInstall ? ["the image has a SHELL of its own"] : [])
        }
        if run.command.usesShell {
            // The keyword and the blanks behind it.
            let start = text.utf8.prefix { !" \t\\\n".utf8.contains($0) }.count
            let command = try PinnedCommand(text, from: start, facts, locked: locked)
            return Pinned(
                text: command.text, notes: command.notes, packages: command.locked, files: command.files)
        }
        // `["/bin/sh", "-c", TEXT]` is written for a text that does not fit in one line.
        let words = run.command.words
        let isScript = words.count == 3 && RecipeMaker.isPosix([words[0]]) && words[1] == "-c"
        let script = isScript ? words[2] : words.map(\.shellQuoted).joined(separator: " ")
        let command = try PinnedCommand(script, facts, locked: locked)
        var result = Pinned(
            text: text, notes: command.notes, packages: command.locked, files: command.files)
        guard command.text != script else { return result }
        result.text =
            isScript
            ? "RUN \(ConfigInstructions.array([words[0], words[1], command.text]))"
            : "RUN \(RunText.line(of: command.text, shell: ["/bin/sh", "-c"]))"
        return result
    }
}
