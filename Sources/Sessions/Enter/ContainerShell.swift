package import Basics
package import Containers
package import Layers
import Linux
import OCI
package import Recipes
package import Stores

/// A shell in a container whose lines are recorded as the container's events.
///
/// A container has no states to go back to, so the changes of a failed line stay. The working directory and variables
/// are
/// carried from line to line; the container's settings do not change.
package final class ContainerShell: LineShell {
    private let engine: Engine
    private let record: ContainerRecord
    private var carried = CarriedState()
    private var hasNoted = false

    /// Throws `unsupported` for a shell other than sh, ash, dash and bash, and `notFound` when the shell is missing.
    package init(_ record: ContainerRecord, engine: Engine) throws(ShaleError) {
        self.record = record
        self.engine = engine
        try ShellProgram.require(
            engine.containers.shell(of: record), in: engine.containers.tree(of: record),
            named: "container \(record.name)")
    }

    package var name: String { record.name }
    package var directory: String { carried.directory ?? ownDirectory }
    private var ownDirectory: String {
        guard let directory = record.config.workingDir, !directory.isEmpty else { return "/" }
        return directory
    }

    package var isRoot: Bool { ShellProgram.isRoot(record.config.user) }
    package var variableNames: [String] { carried.variableNames(beside: record.config.env ?? []) }
    package var commandNames: [String] { Array(carried.functions.keys) + Array(carried.aliases.keys) }

    package func value(of name: String) -> String? {
        let own = (record.config.env ?? []).last { $0.hasPrefix("\(name)=") }
        return carried.exports[name] ?? own.map { String($0.dropFirst(name.count + 1)) }
    }

    /// The container's files, without mounts.
    ///
    /// Throws what opening a layer throws.
    package func tree() throws(ShaleError) -> MergedTree { try engine.containers.tree(of: record) }

    /// Runs a line in the container and records it as a container event.
    ///
    /// Throws when the line could not be run. A line that fails is not an error: its exit status is in the result.
    package func run(
        _ line: String, person: PersonAtStep, wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool,
        directory host: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> LineTaken {
        let scan = ShellScan(line)
        let written = (scan.joined ?? line).trimmingBlanks
        let (text, uses) = carried.complete(written)
        let outcome = try engine.containers.enter(
            ContainerLine(
                text: text, script: { RecorderScript.text(running: text, in: $0) }, person: person,
                wasAnswered: wasAnswered),
            in: record, operation)
        var taken = LineTaken()
        taken.exitStatus = outcome.exitStatus
        carried.lastStatus = outcome.exitStatus
        taken.typedAhead = outcome.typedAhead
        taken.changed = outcome.summary
        if scan.startsBackground, !hasNoted {
            hasNoted = true
            taken.notes.append("what runs in the background may go on while the container runs")
        }
        guard let before = ShellReport("before", of: outcome.report),
            let after = ShellReport("after", of: outcome.report)
        else { return taken }
        carried.carry(carried.absorb(before: before, after: after, uses: uses, line: written, scan: scan))
        try move(to: after.directory, &taken)
        return taken
    }

    private func move(to directory: String, _ taken: inout LineTaken) throws(ShaleError) {
        guard directory.hasPrefix("/") else { return }
        let isMounted = record.host.mounts.contains { directory.isAtOrBelow($0.destination) }
        var place = directory
        if !directory.isKernelPath, !isMounted {
            let tree = try self.tree()
            place = try directory.nearestPath { path throws(ShaleError) in
                try tree.entry(path, followingLinks: true)?.status.kind == .directory
            }
            if place != directory { taken.notes.append("\(directory.visible) is gone: now in \(place.visible)") }
        }
        carried.directory = place == ownDirectory ? nil : place
    }
}
