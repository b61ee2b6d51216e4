package import ArgumentParser
package import Basics
import Explorer
import Layers
import Rendering

/// `diff CONTAINER`: what it changed; `diff IMAGE#N` what a layer changed; `diff A B` how two differ.
package struct Diff: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what a container or layer changed, or how two differ: A C D",
        usage: "diff [OPTIONS] CONTAINER|IMAGE#N|A B")
    package static let operandKinds: [ValueKind] = [.object]
    package static let managementNames: [ManagementName] = ["container diff"]
    package static let examples = [
        "diff web", "diff app:1 app:2 --stat", "diff app:1#3 --why", "diff web -u /etc/passwd",
    ]
    package static let differences = [
        "Sorted by path; docker's order is random. Images and layers can be compared, too.",
        "--why also tells of a file that only got another name: a commit holds it under both.",
    ]
    package static let isWorthKeeping = false

    @Flag(help: "How many paths and bytes, by directory.") var stat = false
    @Flag(help: "What differs of each path.") var why = false
    @Option(name: .customShort("u"), help: "The difference of one text file, line by line.") var path: String?
    @Option(help: "json, or a Go template with .Kind and .Path") var format: String?
    @Argument(help: "A container, a layer, or two of images, layers and containers.") var subjects: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let comparison = try DiffSubjects(subjects, shell)
        if let path { return try lines(of: path, comparison) }
        let differences = try comparison.differences(linked: why)
        if stat, let format { return DiffStatistics.rows(differences).outcome(format: format, width: nil) }
        if let format { return .listing(listing(differences), format: format) }
        if stat { return .paged(DiffStatistics.lines(differences, width: shell.console.width ?? 80)) }
        return .paged(differences.map { why ? reasoned($0) : DifferenceText.line($0) })
    }

    private func lines(of path: String, _ comparison: DiffSubjects) throws(ShaleError) -> Outcome {
        let (old, new) = try comparison.contents(of: path)
        if old == nil, new == nil {
            throw ShaleError(.notFound, "\(path.visible): no such file on either side")
        }
        let name = path.visible
        return .paged(UnifiedDiff.lines(old, new, names: ("a\(name)", "b\(name)")).map(\.visible))
    }

    private func reasoned(_ difference: TreeDifference) -> String {
        var words: [String] = []
        let (before, after) = (difference.before, difference.after)
        for reason in difference.reasons.map(\.rawValue).sorted() {
            if reason == "xattr", let before, let after, before.isOpaque != after.isOpaque {
                words.append(after.isOpaque ? "now hides what lies below" : "no longer hides what lies below")
                continue
            }
            switch (reason, before, after) {
            case ("size", .some(let before), .some(let after)):
                words.append("size \(HumanUnits.size(before.size)) -> \(HumanUnits.size(after.size))")
            case ("mode", .some(let before), .some(let after)):
                words.append("mode \(EntryText.octal(before.mode)) -> \(EntryText.octal(after.mode))")
            case ("owner", .some(let before), .some(let after)):
                words.append("owner \(before.uid):\(before.gid) -> \(after.uid):\(after.gid)")
            case ("type", .some(let before), .some(let after)):
                words.append("type \(before.kind.noun) -> \(after.kind.noun)")
            case ("link", .some(let before), .some(let after)) where after.kind == .symlink:
                words.append("link \(before.link.visible) -> \(after.link.visible)")
            default: words.append(reason)
            }
        }
        if difference.kind == .added, let after, after.kind == .file { words = [HumanUnits.size(after.size)] }
        return DifferenceText.line(difference, reasons: words)
    }

    private func listing(_ differences: [TreeDifference]) -> Listing {
        Listing(
            columns: [Listing.Column("Kind", "KIND"), Listing.Column("Path", "PATH", shrinks: true)],
            rows: differences.map { difference in
                var members: [JSONDocument.Member] = [
                    .init("Kind", .string(difference.kind.rawValue)), .init("Path", .string(difference.path)),
                ]
                guard why else { return .object(members) }
                members.append(
                    .init("Reasons", .array(difference.reasons.map(\.rawValue).sorted().map { .string($0) })))
                if let before = difference.before { members.append(.init("Before", EntryText.document(before))) }
                if let after = difference.after { members.append(.init("After", EntryText.document(after))) }
                return .object(members)
            })
    }
}
