package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `timeline`: every state the session was in.
package struct Timeline: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "timeline", abstract: "List every state the session was in")
    package static let isWorthKeeping = false
    package static let formatFields = [
        "Mark", "State", "On", "Line", "Image", "When", "CreatedAt",
    ]
    package static let examples = ["timeline", "timeline --format json", "timeline | tail -n 3"]
    package static let differences = ["Docker has no such command."]

    @Option(help: "json, or a template.") var format: String?

    package init() {}

    private static func firstLine(_ text: String) -> String { text.split(separator: "\n").first.map(String.init) ?? "" }

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        try session.refresh()
        let tree = session.tree
        let images = try shell.images().allThere()
        let current = Set(tree.lineage(of: tree.head).map(\.number))
        var listing = Listing(
            columns: [
                .init("Mark", ""), .init("State", "STATE"), .init("On", "ON"), .init("Line", "LINE", shrinks: true),
                .init("Image", "@"), .init("When", "WHEN"),
            ],
            quietKey: "State")
        let now = Timestamp.now()
        // Output for a program has the whole line.
        let isForPrograms =
            switch Listing.Format(format) {
            case .json, .template: true
            case .table, .raw: false
            }
        for node in tree.nodes.values.sorted(by: { $0.number < $1.number }) {
            let mark = node.number == tree.head ? "=>" : (current.contains(node.number) ? "*" : "")
            // A state that prune dropped is listed, but `goto` cannot reach it any more.
            let isGone = node.image.map { !images.contains($0) } ?? false
            listing.rows.append(
                .members([
                    "CreatedAt": .string(node.time.description),
                    "When": .string(HumanUnits.duration(seconds: now.seconds(since: node.time)) + " ago"),
                    "Mark": .string(mark), "State": .string(String(node.number)), "On": .string(String(node.parent)),
                    "Line": .string(isForPrograms ? node.line : Self.firstLine(node.line)),
                    "Image": .string(isGone ? "(pruned)" : node.image?.short ?? ""),
                ]))
        }
        return .listing(listing, format: format)
    }
}
