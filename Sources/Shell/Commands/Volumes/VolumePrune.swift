package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering
import Sessions
import Stores

/// `volume prune`: volumes that no container has.
package struct VolumePrune: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume prune", abstract: "Remove the nameless volumes that no container has",
        usage: "volume prune [OPTIONS]", discussion: VolumeRm.noWayBack)
    package static let leasesWhatItUses = false
    package static let examples = ["volume prune --dry-run", "volume prune -f", "volume prune -a --filter label=of=db"]
    package static let differences = ["it lists what it would remove before it asks"]

    @Flag(help: "Only show what would be removed") var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask") var force = false
    @Flag(name: .shortAndLong, help: "Those with a name too") var all = false
    @Option(help: "label=KEY[=VALUE] or label!=KEY[=VALUE]") var filter: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var conditions = VolumeFilter(keys: VolumeFilter.pruned)
        for text in filter { try conditions.add(text) }
        let containers = try shell.containers()
        let unused = try containers.volumes().filter {
            $0.users.isEmpty && (all || VolumeName.isAnonymous($0.name)) && conditions.takes($0)
        }
        let plan = unused.map { (name: $0.name, bytes: $0.bytes) }
        if dryRun { return .lines(Self.lines(plan, isPlan: true)) }
        if !force {
            let which = all ? "all" : "anonymous"
            shell.console.note("WARNING! This will remove \(which) local volumes not used by at least one container.")
            for line in Self.lines(plan, isPlan: true) { shell.console.note(line) }
            try Question(refusal: "prune has been cancelled", hint: "volume prune -f").ask(shell)
        }
        var removed = plan
        var failures: [ShaleError] = []
        for volume in plan {
            do throws(ShaleError) {
                try containers.removeVolume(named: volume.name)
            } catch {
                removed.removeAll { $0.name == volume.name }
                // A container took it meanwhile, or another process was first.
                if error.code != .inUse, error.code != .notFound { failures.append(error) }
            }
        }
        if !removed.isEmpty { shell.changes.append(.lost(.volumesRemoved)) }
        return try shell.outcome(.lines(Self.lines(removed, isPlan: false)), failures: failures)
    }

    /// Nothing is called deleted before it is.
    private static func lines(_ volumes: [(name: String, bytes: Int64)], isPlan: Bool) -> [String] {
        let title = isPlan ? "Volumes to be deleted:" : "Deleted Volumes:"
        let bytes = HumanUnits.preciseSize(volumes.reduce(0) { $0 &+ $1.bytes })
        return (volumes.isEmpty ? [] : [title] + volumes.map(\.name) + [""])
            + ["Total \(isPlan ? "reclaimable" : "reclaimed") space: \(bytes)"]
    }
}
