import Basics
import Explorer
import Images
import OCI
import Recipes
import Rendering

/// `size --remote IMAGE…`: what a pull would fetch; nothing but manifest and config is.
struct RemoteSizes {
    let images: [String]
    let platform: String?
    let format: String?

    private static let shownLayers = 5

    func outcome(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !images.isEmpty else {
            throw ShaleError(.usage, "size: which image? its name", hint: "size --remote ubuntu:22.04")
        }
        let engine = try shell.images()
        let platform = try Platform.option(platform)
        var lines: [String] = []
        var rows = Rows(["image", "download", "here", "toFetch"].map { .init(key: $0, header: $0.uppercased()) })
        for name in images {
            let reference = try Reference(parsing: name)
            let remote = try engine.remoteImage(
                reference, platform: platform, keeping: true, OperationContext(cancellation: shell.cancellation))
            let size = engine.size(of: remote)
            let shown = remote.reference.familiar
            rows.add(
                [shown] + [size.download, size.here, size.missing].map { String($0) }, Self.document(size, shown))
            if !lines.isEmpty { lines.append("") }
            if images.count > 1 { lines.append("\(shown.visible):") }
            lines += Self.lines(size)
        }
        return format == nil ? .lines(lines) : rows.outcome(format: format, width: shell.console.width)
    }

    private static func lines(_ size: RemoteSize) -> [String] {
        func line(_ name: String, _ bytes: Int64, _ what: String) -> String {
            name.padded(to: 10) + HumanUnits.preciseSize(bytes).rightAligned(in: 9) + "  " + what
        }
        let count = size.layers.count
        let largest = size.layers.sorted { ($0.blob.size, $1.number) > ($1.blob.size, $0.number) }.prefix(shownLayers)
        return [
            line("download", size.download, "\(count) layer\(count == 1 ? "" : "s") as the registry has them"),
            line("here", size.here, "in layers that are here already"),
            line("to fetch", size.missing, "what a pull would bring"),
        ]
            + (largest.isEmpty ? [] : ["", "largest layers"])
            + largest.map { layer in
                "  #\(layer.number)".padded(to: 6) + HumanUnits.size(layer.blob.size).rightAligned(in: 8)
                    + (layer.isHere ? "  here  " : "        ")
                    + InstructionText.instruction(layer.createdBy).ellipsis(56).singleLine
            }
    }

    private static func document(_ size: RemoteSize, _ name: String) -> JSONDocument {
        .members([
            "image": .string(name), "download": .integer(size.download), "here": .integer(size.here),
            "toFetch": .integer(size.missing),
            "layers": .array(
                size.layers.map { layer in
                    .members([
                        "layer": .integer(Int64(layer.number)), "size": .integer(layer.blob.size),
                        "digest": .string(layer.blob.digest.description), "here": .bool(layer.isHere),
                        "instruction": .string(InstructionText.instruction(layer.createdBy)),
                    ])
                }),
        ])
    }
}
