package import ArgumentParser
package import Basics
import Explorer
import Layers
import OCI
import Rendering

/// `compare A B`: all differences between two images, layers or containers.
package struct Compare: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two images, layers or containers: config, history, packages, files, size",
        usage: "compare [--semantic] A B")
    package static let operandKinds: [ValueKind] = [.object]
    package static let isWorthKeeping = false
    package static let examples = [
        "compare app:1 app:2", "compare --semantic app:1 app:rebuilt", "compare app:1#3 app:2#3",
    ]
    package static let differences = [
        "Docker has no such command. Exit status 0 when they are alike, 1 when not.",
        "Two layers are compared by what each holds and deletes by itself; diff IMAGE#N tells what one changes.",
    ]

    @Flag(help: "Times and orders do not count.") var semantic = false
    @Option(name: [.customShort("n"), .customLong("limit")], help: "How many paths to list.") var limit = 20
    @Option(help: "json, or a template.") var format: String?
    @Argument(help: "Two images, layers or containers.") var images: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard images.count == 2 else {
            throw ShaleError(.usage, "compare takes two images, layers or containers", hint: "compare app:1 app:2")
        }
        let views = try PlaceWords(shell).things(images, for: "compare")
        let comparison = try ImageComparison(views[0], views[1], semantic: semantic, shell.cancellation)
        let status: Int32 = comparison.isSame ? 0 : 1
        if let format {
            let document = document(comparison)
            if format == "json" { return Outcome(.lines([document.text()]), status: status) }
            return Outcome(.documents([document], template: format), status: status)
        }
        return Outcome(.lines(comparison.isSame ? ["no differences"] : lines(comparison)), status: status)
    }

    private func lines(_ comparison: ImageComparison) -> [String] {
        var lines: [String] = []
        func section(_ title: String, _ values: [String]) {
            if !values.isEmpty { lines += [title] + values.map { "  " + $0 } }
        }
        section("config", comparison.config.map { "\($0.mark) \($0.key.visible): \(Self.values($0))" })
        section("history", comparison.history.map { "\($0.mark) \($0.key.ellipsis(100).visible)" })
        section("packages", comparison.packages.map { "\($0.mark) \($0.key.visible) \(Self.values($0))" })
        let files = comparison.files.filter { !$0.isParentOnly }
        var shown = files.prefix(max(0, limit)).map { difference in
            DifferenceText.line(difference, reasons: difference.reasons.map(\.rawValue).sorted())
        }
        if files.count > shown.count {
            shown.append("… and \(files.count - shown.count) more: diff \(images[0]) \(images[1])")
        }
        section("files", shown)
        section("size", ["\(HumanUnits.size(comparison.oldSize)) -> \(HumanUnits.size(comparison.newSize))"])
        return lines
    }

    private static func values(_ value: ImageComparison.Value) -> String {
        [value.old, value.new].compactMap(\.self).map(\.visible).joined(separator: " -> ")
    }

    private func document(_ comparison: ImageComparison) -> JSONDocument {
        func list(_ values: [ImageComparison.Value]) -> JSONDocument {
            .array(
                values.map {
                    .members([
                        "key": .string($0.key), "old": $0.old.map { .string($0) } ?? .null,
                        "new": $0.new.map { .string($0) } ?? .null,
                    ])
                })
        }
        let files = comparison.files.filter { !$0.isParentOnly }.map { difference in
            JSONDocument.members([
                "kind": .string(difference.kind.rawValue), "path": .string(difference.path),
                "reasons": .array(difference.reasons.map(\.rawValue).sorted().map { .string($0) }),
                "old": difference.before.map { .string($0.kind.rawValue) } ?? .null,
                "new": difference.after.map { .string($0.kind.rawValue) } ?? .null,
            ])
        }
        return .members([
            "same": .bool(comparison.isSame), "config": list(comparison.config), "history": list(comparison.history),
            "packages": list(comparison.packages), "files": .array(files),
            "size": .members(["old": .integer(comparison.oldSize), "new": .integer(comparison.newSize)]),
        ])
    }
}
