package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering
import Stores

/// `rmi IMAGE…`.
package struct Rmi: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove images", usage: "rmi [OPTIONS] IMAGE [IMAGE…]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let leasesWhatItUses = false
    package static let managementNames: [ManagementName] = ["image rm", "image remove"]
    package static let examples = [
        "rmi ubuntu:jammy_jellyfish", "rmi --dry-run hello-docker", "rmi $(images -q -f dangling=true)",
    ]
    package static let differences = [
        "undo brings an image back; its space is free once prune --history lets go of it",
        "--dry-run shows what would go; what stands in the way is listed with the error",
    ]

    @Flag(name: .shortAndLong, help: "Remove it from stopped containers and other names too")
    var force = false
    @Flag(help: "Keep the nameless images it was built on")
    var noPrune = false
    @Flag(help: "Only show what would be removed")
    var dryRun = false
    @Argument(help: "Names or ids")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        if dryRun { return try plan(images, shell) }
        var lines: [String] = []
        var failures: [ShaleError] = []
        let session = try shell.sessionFolder()
        for name in names {
            try shell.cancellation.check()
            do throws(ShaleError) {
                let removed = try images.removeImage(name, force: force, keepingParents: noPrune, retainedBy: session)
                lines += removed.lines.map(\.description)
                if removed.isGoneForGood {
                    shell.console.note("\(name) is gone for good: there is no space left to keep it for undo")
                }
            } catch {
                if force, error.code == .notFound {
                    shell.console.note(error.message)
                } else {
                    if error.code == .conflict { try tellBlockers(of: name, images, shell) }
                    failures.append(error)
                }
            }
        }
        return try shell.outcome(.lines(lines), failures: failures)
    }

    private func plan(_ images: ImageEngine, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        var lines: [String] = []
        var failures: [ShaleError] = []
        let results = try images.planRemoval(of: names, force: force, keepingParents: noPrune)
        for (name, result) in zip(names, results) {
            switch result {
            case .success(let removed): lines += removed.lines.compactMap(\.plan)
            case .failure(let error) where force && error.code == .notFound: shell.console.note(error.message)
            case .failure(let error):
                if error.code == .conflict { try tellBlockers(of: name, images, shell) }
                failures.append(error)
            }
        }
        return try shell.outcome(.lines(lines), failures: failures)
    }

    /// Lists what prevents the removal, before the error.
    private func tellBlockers(of name: String, _ images: ImageEngine, _ shell: ShellContext) throws(ShaleError) {
        let blockers = try images.blockers(of: name)
        var rows =
            blockers.containers.map { ["container", Identifier.short($0.id), $0.name, $0.status] }
            + blockers.children.map { ["image", $0.id.short, $0.names.first ?? "<none>", "built on it"] }
        if rows.isEmpty, blockers.names.count > 1 { rows = blockers.names.map { ["name", $0] } }
        guard !rows.isEmpty else { return }
        shell.console.note("in the way of \(name):")
        for line in Table(rows: rows).text().split(separator: "\n") { shell.console.note("  \(line)") }
    }
}
