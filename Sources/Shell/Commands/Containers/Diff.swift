package import ArgumentParser
package import Basics
import Engine
import Layers
import OCI

/// `diff CONTAINER`: what it changed.
package struct Diff: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what a container changed: A added, C changed, D deleted",
        usage: "diff [OPTIONS] CONTAINER")
    package static let examples = ["diff web", "diff $failed"]
    package static let differences = ["Sorted by path; docker's order is random."]
    package static let isWorthKeeping = false

    @Option(help: "json, or a Go template with .Kind and .Path") var format: String?
    @Argument(help: "Name or id") var container: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let changes = try engine.changes(of: engine.container(container).record)
        guard let format else { return .lines(changes.map { "\($0.kind.rawValue) \($0.path.visible)" }) }
        let listing = Listing(
            columns: [Listing.Column("Kind", "KIND"), Listing.Column("Path", "PATH", shrinks: true)],
            rows: changes.map { .members(["Kind": .string($0.kind.rawValue), "Path": .string($0.path)]) })
        return .listing(listing, format: format)
    }
}
