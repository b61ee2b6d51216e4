import Basics
import Dockerfiles

/// A recipe with some instructions left out or rewritten; the others keep their line numbers.
struct RecipeVariant {
    let numbered: NumberedRecipe
    /// New texts by the index of the line; `nil` for a line that is left out.
    var edits: [Int: String?] = [:]

    private var recipe: Recipe { numbered.recipe }

    /// The text to build.
    ///
    /// A line that is left out stays as empty comments, and a new text must not have more lines than the old one.
    var text: String {
        recipe.lines.indices.map { index in
            guard let edit = edits[index] else { return recipe.lines[index].text + "\n" }
            let new = edit.map { $0 + "\n" } ?? ""
            let height = new.utf8.count { $0 == UInt8(ascii: "\n") }
            return new + String(repeating: "#\n", count: max(0, recipe.lines[index].height - height))
        }.joined()
    }

    /// The recipe without the lines that are left out, their comments, and the files that nothing names any more.
    var result: Recipe {
        var made = recipe
        (made.lines, made.sources) = ([], [])
        for index in recipe.lines.indices where !isLeftOut(index) {
            let text = edits[index] ?? nil
            made.lines.append(text.map { .instruction($0) } ?? recipe.lines[index])
            if !recipe.sources.isEmpty { made.sources.append(recipe.sources[index]) }
        }
        let instructions = made.lines.filter { !$0.keyword.isEmpty }.map(\.text)
        made.attachments = recipe.attachments.filter { file in instructions.contains { $0.contains(file.path) } }
        return made
    }

    private func isLeftOut(_ index: Int) -> Bool {
        if let edit = edits[index] { return edit == nil }
        // A comment about a line that is left out, made with it.
        guard recipe.lines[index].keyword.isEmpty, recipe.sources.indices.contains(index),
            let source = recipe.sources[index],
            let next = recipe.lines.indices.first(where: { $0 > index && !recipe.lines[$0].keyword.isEmpty })
        else { return false }
        return recipe.sources[next] == source && edits[next] == .some(nil)
    }

    func isEdited(_ index: Int) -> Bool { edits[index] != nil }
}

extension Recipe {
    /// The indexes of the instructions between two lines, without them.
    func instructions(between first: Int, and last: Int) -> [Int] {
        lines.indices.filter { $0 > first && $0 < last && !lines[$0].keyword.isEmpty }
    }

    /// The stage of a line: the index of its `FROM`.
    func stage(of index: Int) -> Int? { lines[...index].lastIndex { $0.keyword == "FROM" } }
}

/// A change of a recipe that may leave its image as it is.
struct RecipeProposal {
    enum Kind: Hashable {
        case drop
        case join
        /// A file that is copied in, used and removed is only mounted.
        case mount
    }

    var kind: Kind
    /// The lines it changes, by their indexes.
    var lines: [Int]
    var edits: [Int: String?]

    /// Leaves instructions out.
    static func dropping(_ lines: [Int]) -> RecipeProposal {
        RecipeProposal(
            kind: .drop, lines: lines, edits: Dictionary(uniqueKeysWithValues: lines.map { ($0, nil) }))
    }

    /// Joins all `RUN`s from one line to another; `nil` when another instruction lies between, or one of them cannot be
    /// joined.
    static func joining(_ first: Int, _ last: Int, of variant: RecipeVariant) -> RecipeProposal? {
        let recipe = variant.numbered.recipe
        let lines = [first] + recipe.instructions(between: first, and: last) + [last]
        var elements: [String] = []
        for index in lines {
            let edit = variant.edits[index]
            if let edit, edit == nil { continue }
            guard case .success(let element) = JoinedRun.element((edit ?? nil) ?? recipe.lines[index].text) else {
                return nil
            }
            if index != last, JoinedRun.passing(in: element) != nil { return nil }
            elements.append(element)
        }
        // The last line has the new text, on one line: the numbers of other lines stay.
        let text = JoinedRun.text(elements).replacing(" \\\n    ", with: " ")
        var edits: [Int: String?] = [:]
        for index in lines { edits[index] = .some(nil) }
        edits[last] = text
        return RecipeProposal(kind: .join, lines: lines, edits: edits)
    }

    /// Mounts a file in the `RUN`s between a `COPY` of it and the `RUN` that removes it; `nil` when that cannot be
    /// written.
    static func mounting(_ copy: Int, _ removal: Int, of variant: RecipeVariant) -> RecipeProposal? {
        let recipe = variant.numbered.recipe
        guard let parsed = try? Instruction.parse(line: recipe.lines[copy].text),
            case .copy(let written) = parsed.value, written.from == nil, !written.parents, written.files.mode == nil,
            written.files.inline.isEmpty, written.files.excluding.isEmpty, written.files.paths.count == 1
        else { return nil }
        let files = written.files
        guard let source = files.paths.first, !files.destination.hasSuffix("/"), files.destination.hasPrefix("/"),
            !(source + files.destination).contains(where: { "$,\"'\\*?[ ".contains($0) })
        else { return nil }
        let mount = "RUN --mount=type=bind,source=\(source),target=\(files.destination) "
        var edits: [Int: String?] = [copy: nil, removal: nil]
        let between = recipe.instructions(between: copy, and: removal)
        for index in between where recipe.lines[index].keyword == "RUN" {
            guard !variant.isEdited(index) else { return nil }
            edits[index] = mount + recipe.lines[index].text.dropFirst(4)
        }
        return RecipeProposal(kind: .mount, lines: [copy, removal], edits: edits)
    }
}
