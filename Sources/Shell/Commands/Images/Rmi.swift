package import ArgumentParser
package import Basics
import Images
import Recipes
import Rendering
import Stores

/// `rmi IMAGE…`.
package struct Rmi: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Remove images", usage: "rmi [OPTIONS] IMAGE [IMAGE…]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let leasesWhatItUses = false
    package static let examples = [
        "rmi ubuntu:jammy_jellyfish", "rmi -f hello-docker", "rmi $(images -q -f dangling=true)",
    ]
    package static let differences = ["undo brings an image back; its space is free once prune --history lets go of it"]

    @Flag(name: .shortAndLong, help: "Remove it from stopped containers and other names too")
    var force = false
    @Flag(help: "Keep the nameless images it was built on")
    var noPrune = false
    @Argument(help: "Names or ids")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let images = try shell.images()
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
                    failures.append(error)
                }
            }
        }
        return try shell.outcome(.lines(lines), failures: failures)
    }
}
