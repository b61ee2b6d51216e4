package import ArgumentParser
package import Basics
import Containers
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `rm CONTAINER…`.
package struct Rm: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove containers", usage: "rm [OPTIONS] CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.container]
    package static let managementNames: [ManagementName] = ["container rm", "container remove"]
    package static let examples = ["rm web", "rm -f $(ps -aq)", "rm -f $failed"]
    package static let differences = [
        "undo brings a container back, with what it changed",
        "Volumes without a name go with their container, with and without -v.",
    ]

    @Flag(name: .shortAndLong, help: "Kill it first when it runs") var force = false
    @Flag(name: .shortAndLong, help: "Remove its nameless volumes too (always so here)") var volumes = false
    @Flag(name: .shortAndLong, help: .hidden) var link = false
    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if link { throw ShaleError(.unsupported, "rm: --link is not supported") }
        let engine = try shell.engine()
        let force = force
        // As in docker: with -f a missing container is only a message.
        let forgiven = force ? containers.filter { engine.containers.isMissing($0) } : []
        for name in forgiven { shell.console.report(ShaleError(.notFound, "No such container: \(name)")) }
        let rest = containers.filter { !forgiven.contains($0) }
        if rest.isEmpty, !forgiven.isEmpty { return .done }
        let session = try shell.sessionFolder()
        return try shell.each(rest, of: "rm") { name throws(ShaleError) in
            let record: ContainerRecord
            do throws(ShaleError) {
                record = try engine.containers.container(name).record
            } catch {
                guard error.code == .corrupt else { throw error }
                guard force else { throw error.hinting("rm -f \(name)   (what was made in it goes for good)") }
                try engine.containers.removeDamaged(name)
                shell.console.note("\(name) is gone for good: its record was damaged")
                shell.changes.append(.lost(.containerRemoved))
                return
            }
            guard try engine.containers.remove(record, force: force, named: name, retainedBy: session) else {
                if !record.host.autoRemove {
                    shell.console.note("\(name) is gone for good: there is no space left to keep it for undo")
                    shell.changes.append(.lost(.containerRemoved))
                }
                return
            }
            shell.changes.append(.removed(container: record.id, name: record.name))
        }
    }
}
