package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering

/// `delete --remote NAME…`.
package struct DeleteRemote: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove an image from its registry",
        usage: "delete --remote [OPTIONS] NAME[:TAG|@DIGEST] [NAME…]")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let examples = [
        "delete --remote localhost:5000/app:1", "delete --remote -f localhost:5000/team/app:old",
        "delete --remote -f localhost:5000/app:1-amd64 localhost:5000/app:1-arm64",
    ]
    package static let differences = [
        "docker has no such command; it asks first, and undo cannot take it back",
        "a registry removes by digest: all tags of the same image go, and are listed before",
    ]

    @Flag(help: "In the registry; an image here is removed by rmi")
    var remote = false
    @Flag(name: .shortAndLong, help: "Do not ask")
    var force = false
    @Argument(help: "Names")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard remote else {
            throw ShaleError(
                .usage, "--remote is missing: this removes from a registry",
                hint: "delete --remote \(names[0].shellQuoted), or rmi \(names[0].shellQuoted) for the image here")
        }
        let images = try shell.images()
        let operation = OperationContext(cancellation: shell.cancellation)
        var lines: [String] = []
        var failures: [ShaleError] = []
        for name in names {
            do throws(ShaleError) {
                lines += try delete(name, images, operation, shell)
            } catch {
                // The names before it have been deleted, and are printed.
                failures.append(error)
                if error.code == .cancelled { break }
            }
        }
        return try shell.outcome(.lines(lines), failures: failures)
    }

    private func delete(
        _ name: String, _ images: ImageEngine, _ operation: OperationContext, _ shell: ShellContext
    ) throws(ShaleError) -> [String] {
        let removal = try images.remoteRemoval(of: Reference(parsing: name), operation)
        if !force {
            shell.console.note(Self.warning(removal))
            try Question(
                refusal: "delete has been cancelled", hint: "delete --remote -f \(name.shellQuoted)"
            ).ask(shell)
        }
        try images.removeRemote(removal, operation)
        let repository = removal.reference.repository
        let tags = removal.tags ?? [removal.reference.tag].compactMap(\.self)
        return tags.map { "Untagged: \(repository.with(tag: $0).familiar)" }
            + ["Deleted: \(repository.with(digest: removal.digest).familiar)"]
    }

    private static func warning(_ removal: RemoteRemoval) -> String {
        let pinned = removal.reference.repository.with(digest: removal.digest)
        var text = "WARNING! This will remove \(pinned.familiar) from its registry."
        switch removal.tags {
        case nil: text += "\nAll tags that lead to it go with it; they were not looked through."
        case let tags?:
            let others = tags.filter { $0 != removal.reference.tag }
            if !others.isEmpty { text += "\nWith it go the tags \(others.joined(separator: ", "))." }
        }
        return text
    }
}
