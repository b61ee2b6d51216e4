package import ArgumentParser
package import Basics
import Engine
import Explorer
import OCI
import Stores

/// `layers IMAGE`: a row a layer.
package struct LayersCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "layers", abstract: "List an image's layers: what made each, its size, what it changed",
        usage: "layers [OPTIONS] IMAGE")
    package static let isWorthKeeping = false
    package static let examples = ["layers ubuntu:22.04", "layers --tree @", "layers --draw hello:v1"]
    package static let differences = ["Docker's history has no numbers and no counts; here layer 1 is the lowest."]

    @Flag(help: "Also the other images that share each layer.") var tree = false
    @Flag(help: "Draw the stack.") var draw = false
    @Flag(name: .customLong("no-trunc"), help: "Whole instructions and digests.") var isWhole = false
    @Option(help: "json, or a template.") var format: String?
    @Argument(help: "An image; @ is the working image.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let layers = try PlaceWords(shell).layers(image)
        let engine = try shell.engine()
        let rows = try LayerTable(layers).rows(sharing: tree || format != nil ? engine.store : nil)
        if draw, format == nil {
            return .lines(StackDrawing(width: shell.console.width ?? 80).lines(rows, image: layers.name))
        }
        var table = Rows(
            [
                .init(key: "layer", header: "#"), .init(key: "instruction", header: "INSTRUCTION", shrinks: true),
                .init(key: "size", header: "SIZE"), .init(key: "files", header: "FILES"),
                .init(key: "bar", header: ""),
            ] + (tree ? [.init(key: "sharedWith", header: "SHARED WITH", shrinks: true)] : []))
        let largest = rows.map(\.layer.bytes).max() ?? 0
        for row in rows {
            let bar = SizeBar.text(row.layer.bytes, of: largest, cells: 20)
            let shared = row.sharedWith.joined(separator: ", ")
            table.add(
                [
                    String(row.layer.number), isWhole ? row.layer.instruction : row.layer.headline.ellipsis(60),
                    HumanUnits.size(row.layer.bytes), row.count.text, bar,
                ] + (tree ? [shared] : []), document(row))
        }
        return table.outcome(format: format, width: isWhole ? nil : shell.console.width)
    }

    private func document(_ row: LayerRow) -> JSONDocument {
        let layer = row.layer
        return .members([
            "layer": .integer(Int64(layer.number)), "instruction": .string(layer.instruction),
            "createdBy": .string(layer.createdBy), "created": layer.created.map { .string($0.description) } ?? .null,
            "size": .integer(layer.bytes), "tarSize": layer.size.map { .integer($0.tar) } ?? .null,
            "added": .integer(Int64(row.count.added)), "changed": .integer(Int64(row.count.changed)),
            "deleted": .integer(Int64(row.count.deleted)), "diffID": .string(layer.diffID.description),
            "chainID": .string(layer.chain.description),
            "blob": layer.blob.map { .string($0.digest.description) } ?? .null,
            "packedSize": layer.blob.map { .integer($0.size) } ?? .null,
            "sharedWith": .array(row.sharedWith.map { .string($0) }),
        ])
    }
}

/// A bar of `#`: how much of the largest something is; never empty for what is there.
enum SizeBar {
    static func text(_ bytes: Int64, of largest: Int64, cells: Int) -> String {
        guard bytes > 0, largest > 0 else { return "" }
        let filled = Int((Double(bytes) / Double(largest) * Double(cells)).rounded())
        return String(repeating: "#", count: max(1, min(cells, filled)))
    }
}
