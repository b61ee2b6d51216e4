package import ArgumentParser
package import Basics
import Explorer
import Glibc
import Linux
import OCI
import Recipes
import Rendering

/// `waste IMAGE|CONTAINER`: bytes that later layers write again or hide.
package struct Waste: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "waste", abstract: "Show an image's efficiency as dive measures it, and what to join",
        usage: "waste [--check] IMAGE|CONTAINER")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = ["waste app:1", "waste -n 5 app:1", "waste --check app:1"]
    package static let differences = ["Docker has no such command. The numbers are dive's; --check reads its .dive-ci."]

    @Flag(help: "Check the rules of .dive-ci; exit status 1 when one fails.") var check = false
    @Option(name: .customLong("ci-config"), help: "The file of rules.") var rulesFile = ".dive-ci"
    @Option(name: [.customShort("n"), .customLong("limit")], help: "How many paths to list.") var limit = 20
    @Option(help: "json: dive's own document, with what shale adds.") var format: String?
    @Argument(help: "An image or a container; @ is the working image.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let layers = try PlaceWords(shell).whole(image, for: "waste")
        let efficiency = try DiveEfficiency(layers, shell.cancellation)
        if check { return try verdict(efficiency, shell) }
        let pairs = try HiddenBytes.pairs(layers, shell.cancellation)
        let document = WasteDocument.document(try layers.stack(), efficiency, pairs)
        if let format {
            return format == "json" ? .line(document.text()) : .documents([document], format: format)
        }
        var lines = [
            "efficiency: \(WasteRules.two(efficiency.score * 100)) %",
            "wasted: \(HumanUnits.size(efficiency.wastedBytes)) (\(efficiency.wastedBytes) bytes), "
                + "\(WasteRules.two(efficiency.wastedUserShare * 100)) % of what is above the lowest layer",
        ]
        let shown = efficiency.waste.filter { $0.bytes > 0 }.prefix(max(0, limit))
        if !shown.isEmpty {
            let table = Table(
                headers: ["COUNT", "WASTED", "LAYERS", "PATH"],
                rows: shown.map { waste in
                    let layers = waste.layers.map { "#\($0)" }.joined(separator: " ")
                    return [String(waste.count), HumanUnits.size(waste.bytes), layers, waste.path.visible]
                }, shrinkable: [3])
            lines.append("")
            lines += table.text(width: shell.console.width).split(separator: "\n").map(String.init)
        }
        let below = pairs.isEmpty ? 0 : try BaseImage.layersBelow(layers)
        for pair in pairs.prefix(5) { lines += [""] + self.lines(pair, layers, base: below) }
        return .lines(lines)
    }

    /// `base` is how many of the layers are those of the image it was built on.
    private func lines(_ pair: HiddenBytes, _ layers: ImageLayers, base: Int) -> [String] {
        func name(_ number: Int) -> String {
            let text = (try? layers.layer(number).headline) ?? ""
            return text.isEmpty ? "#\(number)" : "#\(number) \(text.ellipsis(70).singleLine)"
        }
        let paths = pair.paths.prefix(3).map(\.visible).joined(separator: " ") + (pair.paths.count > 3 ? " …" : "")
        return [
            "layer #\(pair.maker) holds \(HumanUnits.size(pair.bytes)) that layer #\(pair.hider) hides: \(paths)",
            "  \(name(pair.maker))", "  \(name(pair.hider))",
            "  " + advice(pair, layers, base: base),
        ]
    }

    private func advice(_ pair: HiddenBytes, _ layers: ImageLayers, base: Int) -> String {
        if pair.maker <= base, pair.hider > base {
            return "layer #\(pair.maker) is the base's: build on a newer base that has the change already"
        }
        if pair.hider > layers.layers.count {
            return "an image made of the container keeps them: do it in the instruction that made them"
        }
        return pair.maker + 1 == pair.hider
            ? "join the two instructions, and the bytes are never stored"
            : "do what #\(pair.hider) does in the instruction that made them, and the bytes are never stored"
    }

    private func verdict(_ efficiency: DiveEfficiency, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        var rules = WasteRules()
        let path = rulesFile.hasPrefix("/") ? rulesFile : "\(shell.hostDirectory)/\(rulesFile)"
        if let text = try Self.text(of: path, isOptional: rulesFile == ".dive-ci") {
            rules = try WasteRules(parsing: text, file: rulesFile) { shell.console.warning($0) }
        } else {
            shell.console.note("no .dive-ci here: dive's own thresholds")
        }
        let results = try rules.results(efficiency)
        let failed = results.count { $0.status == .fail }
        if format == "json" {
            let documents = results.map { result in
                JSONDocument.members([
                    "rule": .string(result.rule), "status": .string(result.status.rawValue),
                    "reason": .string(result.reason),
                ])
            }
            return Outcome(.lines(documents.map { $0.text() }), status: failed > 0 ? 1 : 0)
        }
        let summary =
            "Result:\(failed > 0 ? "FAIL" : "PASS") [Total:\(results.count)] "
            + "[Passed:\(results.count { $0.status == .pass })] [Failed:\(failed)] "
            + "[Skipped:\(results.count { $0.status == .skip })]"
        return Outcome(.lines(results.map(\.line) + [summary]), status: failed > 0 ? 1 : 0)
    }

    private static func text(of path: String, isOptional: Bool) throws(ShaleError) -> String? {
        do throws(SystemCallError) {
            return String(decoding: try WholeFile.read(path, limit: 1 << 20), as: UTF8.self)
        } catch {
            if isOptional, error.errno == ENOENT { return nil }
            throw error.shaleError(path)
        }
    }
}

/// The JSON document of dive, with further keys for what only shale knows.
enum WasteDocument {
    static func document(
        _ layers: [ImageLayer], _ efficiency: DiveEfficiency, _ pairs: [HiddenBytes]
    ) -> JSONDocument {
        .members([
            "layer": .array(
                layers.map { layer in
                    .members([
                        "index": .integer(Int64(layer.number - 1)),
                        "digestId": layer.diffID.map { .string($0.description) } ?? .null,
                        "sizeBytes": .integer(layer.bytes), "command": .string(layer.createdBy),
                    ])
                }),
            "image": .members([
                "sizeBytes": .integer(efficiency.totalBytes), "inefficientBytes": .integer(efficiency.wastedBytes),
                "efficiencyScore": .number(efficiency.score), "userSizeBytes": .integer(efficiency.userBytes),
                "wastedUserPercent": efficiency.wastedUserShare.isFinite ? .number(efficiency.wastedUserShare) : .null,
                "fileReference": .array(
                    efficiency.waste.map { waste in
                        .members([
                            "count": .integer(Int64(waste.count)), "sizeBytes": .integer(waste.bytes),
                            "file": .string(waste.path), "layers": .array(waste.layers.map { .integer(Int64($0)) }),
                        ])
                    }),
            ]),
            "hidden": .array(
                pairs.map { pair in
                    .members([
                        "layer": .integer(Int64(pair.maker)), "hiddenBy": .integer(Int64(pair.hider)),
                        "sizeBytes": .integer(pair.bytes), "files": .array(pair.paths.map { .string($0) }),
                    ])
                }),
        ])
    }
}
