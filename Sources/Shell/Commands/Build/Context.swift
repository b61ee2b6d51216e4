package import ArgumentParser
package import Basics
import Dockerfiles
import Engine
import Linux
import OCI

/// `context`: what a build of a directory would see.
package struct Context: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "context", abstract: "List what the build context holds after .dockerignore")
    package static let isWorthKeeping = false
    package static let examples = ["context .", "context -a .", "context --format json src"]
    package static let differences = ["Docker has no such command."]

    @Argument(help: "The directory.") var directory = "."
    @Flag(
        name: [.customShort("a"), .customLong("all")], help: "List ignored paths too, with the line that ignores them.")
    var showsIgnored = false
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let context = try BuildContext(directory: directory)
        var listing = Listing(
            columns: [
                .init("path", "PATH"), .init("size", "SIZE"), .init("ignoredBy", "IGNORED BY", isShown: showsIgnored),
            ],
            quietKey: "path")
        let isJSON = format == "json"
        try context.walkAll { path, status, match in
            if match != nil, !showsIgnored { return }
            let size: JSONDocument = isJSON ? .integer(status.size) : .string(HumanUnits.size(status.size))
            let by: JSONDocument = match.map { .string("\($0.line): \($0.pattern)") } ?? (isJSON ? .null : .string(""))
            listing.rows.append(.members(["path": .string(path), "size": size, "ignoredBy": by]))
        }
        return .listing(listing, format: format)
    }
}
