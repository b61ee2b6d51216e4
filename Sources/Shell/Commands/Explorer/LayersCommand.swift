package import ArgumentParser
package import Basics
import Explorer
import Layers
import Linux
import OCI
import Recipes
import Rendering
import Stores

/// `layers IMAGE|CONTAINER`: a row a layer.
package struct LayersCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "layers",
        abstract: "List the layers of an image or container: what made each, its size, what it changed",
        usage: "layers [OPTIONS] IMAGE|CONTAINER")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = ["layers ubuntu:22.04", "layers --draw @", "layers --html app.html app:1"]
    package static let differences = [
        "Docker's history has no numbers and no counts; here layer 1 is the lowest.",
        "The highest layer of a container is what it wrote itself: CONTAINER#N names it as others are named.",
        "--remote fetches the manifest and the config, and no layer.",
    ]

    @Flag(help: "Also the other images that share each layer.") var tree = false
    @Flag(help: "Draw the stack; a container's own changes lie on top.") var draw = false
    @Option(help: "Write a page that shows stack, bytes and files by layer, for any browser, without a network.")
    var html: String?
    @Flag(name: .customLong("no-trunc"), help: "Whole instructions and digests.") var isWhole = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "An image, or a container; @ is the working image.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let words = try PlaceWords(shell, remote)
        if let html {
            let page = try LayerPage(words.whole(image, for: "layers --html FILE"), shell.cancellation)
            return try write(page, to: html, shell)
        }
        let (layers, number) = try words.stack(image, for: "layers")
        var rows = try LayerTable(layers).rows(telling: tree || draw || format != nil)
        if let number { rows.removeAll { $0.layer.number != number } }
        if draw, format == nil {
            let environment = shell.console.environment
            let columns = shell.console.width ?? environment["COLUMNS"].flatMap { Int($0) } ?? 80
            let drawing = StackDrawing(
                width: columns, pen: .fitting(environment), colour: shell.console.hasColour(.output) ? .cyan : nil)
            return .drawing(drawing.lines(rows, image: layers.title))
        }
        return table(rows, layers, width: isWhole ? nil : shell.console.width)
    }

    private func write(_ page: LayerPage, to file: String, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        if file == "-" { return .text(page.text) }
        let path = file.hasPrefix("/") ? file : "\(shell.hostDirectory)/\(file)"
        try translating(file) {
            try UnnamedFile.write(
                Array(page.text.utf8), to: path, mode: CallersUmask.applied(to: 0o644), syncing: false,
                followingLink: true)
        }
        return .line("wrote \(file.visible) (\(HumanUnits.size(Int64(page.text.utf8.count)))): open it in any browser")
    }

    private func table(_ rows: [LayerRow], _ layers: ImageLayers, width: Int?) -> Outcome {
        var table = Rows(
            [
                .init(key: "layer", header: "#"), .init(key: "instruction", header: "INSTRUCTION", shrinks: true),
                .init(key: "size", header: layers.isRemote ? "PACKED" : "SIZE"), .init(key: "files", header: "FILES"),
                .init(key: "bar", header: ""),
            ] + (tree ? [.init(key: "sharedWith", header: "SHARED WITH", shrinks: true)] : []))
        func bytes(_ row: LayerRow) -> Int64 { layers.isRemote ? row.layer.blob?.size ?? 0 : row.bytes }
        let largest = rows.map { bytes($0) }.max() ?? 0
        // In a narrow terminal the instruction gets the space.
        let cells = width.map { max(6, min(20, $0 / 5 - 4)) } ?? 20
        for row in rows {
            let bar = SizeBar.text(bytes(row), of: largest, cells: cells)
            let shared = row.sharedWith.joined(separator: ", ")
            table.add(
                [
                    String(row.layer.number), isWhole ? row.layer.instruction : row.layer.headline.ellipsis(60),
                    HumanUnits.size(bytes(row)), row.count?.text ?? "?", bar,
                ] + (tree ? [shared] : []), document(row))
        }
        return table.outcome(format: format, width: width)
    }

    /// The drawing of an image's stack, for whoever shows it elsewhere.
    static func drawing(of image: String, width: Int, _ shell: ShellContext) throws(ShaleError) -> [String] {
        let layers = try PlaceWords(shell).whole(image, for: "layers")
        let drawing = StackDrawing(width: width, pen: .fitting(shell.console.environment), colour: nil)
        return drawing.lines(try LayerTable(layers).rows(), image: layers.displayName)
    }

    private func document(_ row: LayerRow) -> JSONDocument {
        let layer = row.layer
        func count(_ path: KeyPath<ChangeCount, Int>) -> JSONDocument {
            row.count.map { .integer(Int64($0[keyPath: path])) } ?? .null
        }
        return .members([
            "layer": .integer(Int64(layer.number)), "instruction": .string(layer.instruction),
            "createdBy": .string(layer.createdBy), "created": layer.created.map { .string($0.description) } ?? .null,
            "size": layer.size.map { .integer($0.content) } ?? .null,
            "tarSize": layer.container == nil ? layer.size.map { .integer($0.tar) } ?? .null : .null,
            "added": count(\.added),
            "changed": count(\.changed), "deleted": count(\.deleted),
            "diffID": layer.diffID.map { .string($0.description) } ?? .null,
            "chainID": layer.chain.map { .string($0.description) } ?? .null,
            "blob": layer.blob.map { .string($0.digest.description) } ?? .null,
            "packedSize": layer.blob.map { .integer($0.size) } ?? .null,
            "sharedWith": .array(row.sharedWith.map { .string($0) }),
            "container": layer.container.map { .string($0) } ?? .null,
        ])
    }
}

/// A bar of `#`: the size in relation to the largest one; never empty for a size above 0.
enum SizeBar {
    static func text(_ bytes: Int64, of largest: Int64, cells: Int) -> String {
        guard bytes > 0, largest > 0 else { return "" }
        let filled = Int((Double(bytes) / Double(largest) * Double(cells)).rounded())
        return String(repeating: "#", count: max(1, min(cells, filled)))
    }
}
