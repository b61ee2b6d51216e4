package import Basics
import Explorer
import Images
import OCI
import Stores

/// Some lines of a recipe that one image or container came of, and what they bring.
package struct ExplainedLines: Sendable {
    /// The first and the last line in the Dockerfile, from 1.
    package var lines: ClosedRange<Int>
    /// The instructions, with secrets masked.
    package var instructions: [String]
    /// `nil` when the images before and after them are not known.
    package var facts: LineFacts?
    /// The image or container that they made; `nil` for a base.
    package var source: Recipe.LayerOwner?
}

extension Recipe {
    /// The first line of each recipe line in the Dockerfile, from 1.
    var lineNumbers: [Int] {
        var number = 1
        return lines.map { line in
            defer { number += line.height }
            return number
        }
    }

    /// The number of lines of the Dockerfile.
    var height: Int { lines.reduce(0) { $0 + $1.height } }
}

extension RecipeEngine {
    /// Says what the lines of a recipe bring, from the layers that are there; nothing is built.
    ///
    /// Lines of one container, or of one step that took several, are told together. `warn` is called for each package
    /// database that cannot be read.
    ///
    /// Throws `cancelled`, and what reading the images and their layers throws.
    package func explain(
        _ recipe: Recipe, of subject: RecipeSubject, _ operation: OperationContext, warn: @escaping (String) -> Void
    ) throws(ShaleError) -> [ExplainedLines] {
        let reader = StepReader(self, operation, warn: warn)
        let groups = Self.groups(recipe)
        var explained: [ExplainedLines] = []
        let numbers = recipe.lineNumbers
        for (place, group) in groups.enumerated() {
            let first = group.first ?? 0
            let last = group.last ?? first
            let source = recipe.sources[first]
            let next = place + 1 < groups.count ? groups[place + 1].first : nil
            var lines = ExplainedLines(
                lines: numbers[first]...(numbers[last] + recipe.lines[last].height - 1),
                instructions: group.map { Secrets.masked(recipe.lines[$0].text).text }, source: source)
            if let source {
                lines.facts = try facts(of: source, reader)
            } else {
                let above = next.flatMap { recipe.lines[$0].keyword == "FROM" ? nil : recipe.sources[$0] }
                let base = if let above { try parent(of: above) } else { try subjectImage(subject) }
                if let base { lines.facts = try reader.facts(from: nil, to: reader.state(of: base)) }
            }
            explained.append(lines)
        }
        return explained
    }

    /// The indexes of instructions that belong together: those of one source, and each base.
    private static func groups(_ recipe: Recipe) -> [[Int]] {
        var groups: [[Int]] = []
        for index in recipe.lines.indices where !recipe.lines[index].keyword.isEmpty {
            let isSame = groups.last?.last.map { recipe.sources[$0] == recipe.sources[index] } ?? false
            if isSame, recipe.lines[index].keyword != "FROM" {
                groups[groups.count - 1].append(index)
            } else {
                groups.append([index])
            }
        }
        return groups
    }

    private func facts(of source: Recipe.LayerOwner, _ reader: StepReader) throws(ShaleError) -> LineFacts? {
        let before = try parent(of: source)
        switch source {
        case .image(let id):
            guard let image = try imageIfHere(id) else { return nil }
            let start = try before.map { image throws(ShaleError) in try reader.state(of: image) }
            // After a squash or a rebase the layers are others than the step's.
            if let before, !image.config.rootfs.diffIDs.starts(with: before.config.rootfs.diffIDs) { return nil }
            return try reader.facts(from: start, to: reader.state(of: image))
        case .container(let id):
            let start = try before.map { image throws(ShaleError) in try reader.state(of: image) }
            return try reader.facts(from: start, to: reader.state(of: store.containers.record(id)))
        }
    }

    /// The image on which a step began; `nil` for scratch, and when it is not here any more.
    private func parent(of source: Recipe.LayerOwner) throws(ShaleError) -> Image? {
        switch source {
        case .image(let id):
            try images.provenance(of: id)?.parent.flatMap { parent throws(ShaleError) in try imageIfHere(parent) }
        case .container(let id): try store.images.image(manifest: store.containers.record(id).manifest)
        }
    }

    private func subjectImage(_ subject: RecipeSubject) throws(ShaleError) -> Image? {
        switch subject {
        case .image(let image): image
        case .container(let record): try store.images.image(manifest: record.manifest)
        }
    }
}
