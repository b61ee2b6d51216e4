import Basics
import Explorer
import Layers
import Rendering

/// What two builds made differently, as lines and as JSON: packages, files, settings and size.
struct MadeDifferences {
    /// Paths and packages that are listed before the rest is counted.
    private static let shown = 20

    private let comparison: ImageComparison
    private let files: [TreeDifference]

    init(_ comparison: ImageComparison) {
        self.comparison = comparison
        files = comparison.files.filter { !$0.isParentOnly }
    }

    /// Whether both have the same packages, files and settings.
    var isNone: Bool { comparison.packages.isEmpty && files.isEmpty && comparison.config.isEmpty }

    /// A section for each, with the first entries; `further` is the command that lists all of them.
    func lines(further: String) -> [String] {
        let packages = comparison.packages.map { value in
            "\(value.mark) \(value.key.visible) \(Self.arrow(value.old, value.new))"
        }
        let paths = files.map { file in
            let reasons = file.kind == .changed ? file.reasons.map(\.rawValue).sorted() : []
            return "\(Self.mark(file.kind)) \(file.path.visible)"
                + (reasons.isEmpty ? "" : "  (\(reasons.joined(separator: ", ")))")
        }
        let settings = comparison.config.map { value in
            let (old, new) = (value.old.map(Self.masked(value.key)), value.new.map(Self.masked(value.key)))
            return "\(value.mark) \(value.key.visible): \(Self.arrow(old, new))"
        }
        return section("packages", comparison.packages.map(\.mark), packages, further)
            + section("files", files.map { Self.mark($0.kind) }, paths, further)
            + section("settings", comparison.config.map(\.mark), settings, further) + [size]
    }

    private func section(_ title: String, _ marks: [String], _ entries: [String], _ further: String) -> [String] {
        guard !entries.isEmpty else { return ["\(title): no difference"] }
        func count(_ mark: String) -> Int { marks.count { $0 == mark } }
        var lines = ["\(title): \(count("+")) added, \(count("-")) removed, \(count("~")) changed"]
        lines += entries.prefix(Self.shown).map { "  \($0)" }
        if entries.count > Self.shown { lines.append("  and \(entries.count - Self.shown) more: \(further)") }
        return lines
    }

    private var size: String {
        let (old, new) = (comparison.oldSize, comparison.newSize)
        if old == new { return "size: \(HumanUnits.size(new)), no difference" }
        let growth = new.subtractingClamped(old)
        let sign = growth < 0 ? "-" : "+"
        return "size: \(HumanUnits.size(old)) -> \(HumanUnits.size(new)) (\(sign)\(HumanUnits.size(abs(growth))))"
    }

    /// The same for a program: all packages, files and settings.
    var members: [JSONDocument.Member] {
        func values(_ values: [ImageComparison.Value], masking: Bool) -> JSONDocument {
            .array(
                values.map { value in
                    func text(_ side: String?) -> JSONDocument {
                        side.map { .string(masking ? Self.masked(value.key)($0) : $0) } ?? .null
                    }
                    return .members([
                        "change": .string(value.mark), "name": .string(value.key), "old": text(value.old),
                        "new": text(value.new),
                    ])
                })
        }
        let paths = files.map { file in
            JSONDocument.members([
                "change": .string(Self.mark(file.kind)), "path": .string(file.path),
                "reasons": .array(file.reasons.map(\.rawValue).sorted().map { .string($0) }),
            ])
        }
        return [
            .init("packages", values(comparison.packages, masking: false)), .init("files", .array(paths)),
            .init("settings", values(comparison.config, masking: true)),
            .init(
                "size", .members(["old": .integer(comparison.oldSize), "new": .integer(comparison.newSize)])),
        ]
    }

    private static func mark(_ kind: Change.Kind) -> String {
        switch kind {
        case .added: "+"
        case .changed: "~"
        case .deleted: "-"
        }
    }

    private static func arrow(_ old: String?, _ new: String?) -> String {
        [old, new].compactMap(\.self).map(\.visible).joined(separator: " -> ")
    }

    /// Masks the value of a setting that looks secret, as recipes do.
    private static func masked(_ key: String) -> (String) -> String {
        let name = key.split(separator: ".", maxSplits: 1).last.map(String.init) ?? key
        return { Secrets.isNamed(name) ? Secrets.mask : Secrets.masked($0).text }
    }
}
