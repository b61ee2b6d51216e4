package import ArgumentParser
package import Basics
import OCI
import Sessions
import Stores

/// `reflog`: every value a name had in this session.
package struct Reflog: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "reflog", abstract: "List every image a name meant in this session")
    package static let isWorthKeeping = false
    package static let examples = ["reflog", "reflog hello-docker"]
    package static let differences = ["Docker forgets what a tag meant before."]

    @Argument(help: "A name; all without one.") var name: String?
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let wanted = try name.map { text throws(ShaleError) in try Reference(parsing: text).withDefaultTag }
        let session = try shell.session()
        try session.refresh()
        var listing = Listing(
            columns: [
                .init("State", "STATE"), .init("Name", "NAME"), .init("Before", "BEFORE"), .init("After", "AFTER"),
                .init("Line", "LINE", shrinks: true),
            ],
            quietKey: "After")
        for node in session.tree.nodes.values.sorted(by: { $0.number > $1.number }) {
            for case .name(let reference, let before, let after) in node.changes {
                if let wanted, reference != wanted { continue }
                listing.rows.append(
                    .members([
                        "State": .string(String(node.number)), "Name": .string(reference.familiar),
                        "Before": .string(before?.image?.short ?? ""), "After": .string(after?.image?.short ?? ""),
                        "Line": .string(node.line.split(separator: "\n").first.map(String.init) ?? ""),
                    ]))
            }
        }
        return .listing(listing, format: format)
    }
}
