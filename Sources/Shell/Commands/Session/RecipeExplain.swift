import Basics
import Explorer
import Layers
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `recipe explain [LINE]`: what each line of a recipe brings, and which later lines need it.
struct RecipeExplain {
    /// Packages, paths and typed lines that are listed before the rest is counted.
    private static let shown = 8

    private let shell: ShellContext
    private let output: RecipeOutput

    init(_ shell: ShellContext, _ output: RecipeOutput) {
        self.shell = shell
        self.output = output
    }

    /// A number is the line; another word is the image or container.
    func outcome(_ words: [String], format: String?) throws(ShaleError) -> Outcome {
        var rest = words[...]
        var line: Int?
        if let first = rest.first, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let number = Int(first), number > 0 else {
                throw ShaleError(.usage, "recipe explain: \(first): lines are counted from 1", hint: "recipe explain")
            }
            (line, rest) = (number, rest.dropFirst())
        }
        guard rest.count <= 1 else {
            throw ShaleError(
                .usage, "recipe explain takes a line, and an image or container", hint: "recipe explain 3 app:1")
        }
        let name = rest.first ?? "@"
        let subject = try output.subject(name)
        let recipe = try output.recipe(of: subject, named: name)
        guard let line else { return try all(recipe, subject, name, format) }
        return try one(line, recipe, name, format)
    }

    // MARK: All lines

    private func all(
        _ recipe: Recipe, _ subject: RecipeSubject, _ name: String, _ format: String?
    ) throws(ShaleError) -> Outcome {
        let recipes = try shell.recipes()
        let explained = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try recipes.explain(recipe, of: subject, operation) { shell.console.warning($0.visible) }
        }
        if format == "json" {
            var objects: [String] = []
            for lines in explained {
                var members = Self.place(lines.lines, lines.instructions)
                if let facts = lines.facts { members += Self.members(facts) }
                members.append(.init("typed", Self.json(try typed(lines.source))))
                objects.append(JSONDocument.object(members).text())
            }
            return .lines(objects)
        }
        var text: [String] = []
        for lines in explained {
            text += Self.heading(lines.lines, lines.instructions)
            text += lines.facts.map(Self.lines) ?? ["  what it brought is not known any more"]
            text += Self.lines(try typed(lines.source), besides: lines.instructions)
        }
        let subject = name == "@" ? "" : " \(name.shellQuoted)"
        if explained.count == 1 {
            text.append("it was not made here step by step: 'dockerfile \(name)' reads its layers")
        } else {
            text.append("'recipe explain LINE\(subject)' builds it without a line, to find what needs it")
        }
        return .paged(text.map(\.visible))
    }

    // MARK: One line

    private func one(_ line: Int, _ recipe: Recipe, _ name: String, _ format: String?) throws(ShaleError) -> Outcome {
        let recipes = try shell.recipes()
        let trial = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try recipes.tryWithout(line: line, of: recipe, operation) {
                operation.line($0)
            } warn: {
                shell.console.warning($0.visible)
            }
        }
        let typed = try typed(trial.source)
        if format == "json" { return .line(JSONDocument.object(Self.members(trial, typed)).text()) }
        var text = Self.heading(trial.lines, [trial.instruction]) + Self.lines(trial.facts)
        text += Self.lines(typed, besides: [trial.instruction])
        guard trial.wasTried else {
            return .paged((text + ["  every line after it needs it"]).map(\.visible))
        }
        if !trial.onlyFromIt.isEmpty {
            text.append("  only it brings: \(Self.listed(trial.onlyFromIt))")
        } else if trial.obstacle == nil, trial.needs.isEmpty {
            text.append("  without it the image has the same files")
        }
        text += trial.needs.map(Self.line)
        let settings = trial.settingsWithout.map { String($0.dropFirst(2)) }
        if !settings.isEmpty {
            text.append("  settings of the image that depend on it: \(Self.listed(settings))")
        }
        if let obstacle = trial.obstacle {
            text.append("  no image can be made without it: \(obstacle)")
        } else if trial.needs.isEmpty {
            text.append("  no later line needs it")
        }
        return .paged(text.map(\.visible))
    }

    private static func line(_ need: LineTrial.Need) -> String {
        let place = "  line \(need.line) needs it (\(firstLine(need.instruction)))"
        return switch need.kind {
        case .fails(let reason): "\(place): without it: \(reason)"
        case .differs(let paths): "\(place): without it, these differ: \(listed(paths))"
        }
    }

    private static func members(_ trial: LineTrial, _ typed: [TypedWords]) -> [JSONDocument.Member] {
        var members = place(trial.lines, [trial.instruction]) + self.members(trial.facts)
        members.append(.init("typed", json(typed)))
        members.append(.init("tried", .bool(trial.wasTried)))
        guard trial.wasTried else { return members }
        members.append(.init("onlyFromIt", .array(trial.onlyFromIt.map { .string($0) })))
        members.append(.init("settingsWithout", .array(trial.settingsWithout.map { .string($0) })))
        let needs = trial.needs.map { need in
            var row: [JSONDocument.Member] = [
                .init("line", .integer(Int64(need.line))), .init("instruction", .string(need.instruction)),
            ]
            switch need.kind {
            case .fails(let reason): row.append(.init("fails", .string(reason)))
            case .differs(let paths): row.append(.init("differs", .array(paths.map { .string($0) })))
            }
            return JSONDocument.object(row)
        }
        members.append(.init("neededBy", .array(needs)))
        if let obstacle = trial.obstacle { members.append(.init("obstacle", .string(obstacle))) }
        return members
    }

    // MARK: What was typed

    /// The lines of this session's journal that made it; else what the store knows.
    private func typed(_ source: Recipe.LayerOwner?) throws(ShaleError) -> [TypedWords] {
        guard let source else { return [] }
        if case .image(let id) = source {
            let session = try shell.session()
            try session.refresh()
            for entry in session.stateEntries.reversed() {
                let makes = (entry.changes ?? []).contains { change in
                    if case .step(let step) = change { step.image == id } else { false }
                }
                if makes { return [TypedWords(at: entry.time, words: entry.line)] }
            }
        }
        return try shell.recipes().typedWords(of: source)
    }

    private static func lines(_ typed: [TypedWords], besides instructions: [String]) -> [String] {
        var lines = typed.prefix(shown).map { words in
            let place = words.container.map { " in container \($0)" } ?? ""
            let isSame = instructions.contains(words.words)
            let time = words.at.map { Timestamp(seconds: $0.seconds).description } ?? ""
            return "  typed \(time)\(place)\(isSame ? "" : ": \(firstLine(words.words))")"
        }
        if typed.count > shown { lines.append("  and \(typed.count - shown) more typed lines") }
        return lines
    }

    private static func json(_ typed: [TypedWords]) -> JSONDocument {
        .array(
            typed.map { words in
                .members([
                    "at": words.at.map { .string($0.description) } ?? .null, "words": .string(words.words),
                    "container": words.container.map { .string($0) } ?? .null,
                ])
            })
    }

    // MARK: Facts

    private static func heading(_ lines: ClosedRange<Int>, _ instructions: [String]) -> [String] {
        let place =
            lines.count == 1 ? "line \(lines.lowerBound)" : "lines \(lines.lowerBound)-\(lines.upperBound)"
        return instructions.enumerated().map { number, text in
            let start = number == 0 ? place : String(repeating: " ", count: place.count)
            return "\(start)  \(firstLine(text))"
        }
    }

    private static func lines(_ facts: LineFacts) -> [String] {
        var lines: [String] = []
        if !facts.changes.isEmpty {
            let paths = listed(facts.changes.map { "\(mark($0)) \($0.path)" }, 3)
            lines.append("  files \(facts.count.text), \(HumanUnits.size(facts.bytes)): \(paths)")
        }
        if !facts.packages.isEmpty {
            let packages = facts.packages.map { value in
                "\(value.mark) \(value.key) \([value.old, value.new].compactMap(\.self).joined(separator: " -> "))"
            }
            lines.append("  packages: \(listed(packages))")
        }
        if !facts.settings.isEmpty { lines.append("  settings: \(listed(facts.settings))") }
        return lines.isEmpty ? ["  changes nothing"] : lines
    }

    private static func members(_ facts: LineFacts) -> [JSONDocument.Member] {
        let packages = facts.packages.map { value in
            JSONDocument.members([
                "change": .string(value.mark), "name": .string(value.key),
                "old": value.old.map { .string($0) } ?? .null, "new": value.new.map { .string($0) } ?? .null,
            ])
        }
        return [
            .init("added", .integer(Int64(facts.count.added))), .init("changed", .integer(Int64(facts.count.changed))),
            .init("deleted", .integer(Int64(facts.count.deleted))), .init("bytes", .integer(facts.bytes)),
            .init("packages", .array(packages)), .init("settings", .array(facts.settings.map { .string($0) })),
        ]
    }

    private static func place(_ lines: ClosedRange<Int>, _ instructions: [String]) -> [JSONDocument.Member] {
        [
            .init("line", .integer(Int64(lines.lowerBound))), .init("endLine", .integer(Int64(lines.upperBound))),
            .init("instructions", .array(instructions.map { .string($0) })),
        ]
    }

    private static func mark(_ change: LayerChange) -> String {
        switch change.kind {
        case .added: "+"
        case .changed: "~"
        case .deleted: "-"
        }
    }

    private static func listed(_ entries: [String], _ most: Int = shown) -> String {
        let more = entries.count > most ? ", and \(entries.count - most) more" : ""
        return entries.prefix(most).joined(separator: ", ") + more
    }

    private static func firstLine(_ text: String) -> String {
        let lines = text.split(separator: "\n", maxSplits: 1)
        return (lines.first.map(String.init) ?? text) + (lines.count > 1 ? " …" : "")
    }
}
