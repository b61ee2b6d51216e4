package import ArgumentParser
package import Basics
import Containers
import Recipes
import Sessions
import Stores

/// `volume rm VOLUME…`.
package struct VolumeRm: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume rm", abstract: "Remove volumes that no container has, running or not",
        usage: "volume rm [OPTIONS] VOLUME [VOLUME…]", discussion: noWayBack)
    package static let operandKinds: [ValueKind] = [.volume]
    package static let leasesWhatItUses = false
    package static let examples = [
        "volume rm spare", "volume rm -f maybe", "volume rm $(volume ls -q --filter name=db-data)",
    ]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]
    static let noWayBack = "A volume that is removed is gone: undo brings containers back, but no volumes."

    @Flag(name: .shortAndLong, help: "Also when there is none of that name") var force = false
    @Argument(help: "Names") var volumes: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let containers = try shell.containers()
        let force = force
        return try shell.each(volumes, of: "volume rm") { name throws(ShaleError) in
            do throws(ShaleError) {
                try containers.removeVolume(named: name)
                shell.changes.append(.lost(.volumesRemoved))
            } catch {
                guard force, error.code == .notFound else { throw error }
            }
        }
    }
}
