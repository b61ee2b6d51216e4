package import ArgumentParser
package import Basics
import Containers
package import Images
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
    package static let filters = VolumeFilter.pruned
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
        let volumes = UnusedVolumes(try shell.containers())
        let plan = try volumes.plan(conditions, all: all)
        if dryRun { return .lines(Self.lines(plan, isPlan: true)) }
        if !force {
            let which = all ? "all" : "anonymous"
            shell.console.note("WARNING! This will remove \(which) local volumes not used by at least one container.")
            for line in Self.lines(plan, isPlan: true) { shell.console.note(line) }
            try Question(refusal: "prune has been cancelled", hint: "volume prune -f").ask(shell)
        }
        let (removed, failures) = volumes.remove(plan)
        if !removed.isEmpty { shell.changes.append(.lost(.volumesRemoved)) }
        return try shell.outcome(.lines(Self.lines(removed, isPlan: false)), failures: failures)
    }

    /// Names are printed as deleted only after they have been deleted.
    private static func lines(_ volumes: UnusedVolumes.Volumes, isPlan: Bool) -> [String] {
        let title = isPlan ? "Volumes to be deleted:" : "Deleted Volumes:"
        let bytes = HumanUnits.preciseSize(UnusedVolumes.bytes(volumes))
        return (volumes.isEmpty ? [] : [title] + volumes.map { UnusedVolumes.name($0.name, isPlan: isPlan) } + [""])
            + ["Total \(isPlan ? "reclaimable" : "reclaimed") space: \(bytes)"]
    }
}
