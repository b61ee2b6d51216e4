import Basics
package import Images
import Linux
import OCI
package import Stores

extension ContainerEngine {
    /// How an image of a container comes to be: what a recipe is made from.
    package func story(of container: ContainerRecord, above base: Image, changes: [String]) -> Provenance {
        let state = state(of: container.id)
        let isOver = !state.isRunning && state.finishedAt != nil
        let facts = ContainerFacts(
            changedLast: changesSinceLastEvent(of: container), isPlain: container.isPlain,
            isInteractive: container.console.tty || container.console.openStdin,
            exitCode: isOver ? state.exitCode : nil, finished: isOver ? state.finishedAt : nil,
            settings: container.config, typed: typedLines(of: container))
        var story = Provenance(
            parent: base.id, base: container.imageName,
            origin: .commit(
                container: container.id, name: container.name, command: container.command, changes: changes,
                events: store.containers.events(of: container.id)))
        story.facts = facts
        return story
    }
}

extension ContainerRecord {
    private static let usualSharedMemory: Int64 = 64 << 20

    /// Whether nobody named its host.
    private var hasPlainNames: Bool {
        (domainname ?? "").isEmpty && (hostname == Identifier.short(id) || host.networkMode == "host")
    }

    /// Whether its processes run as a `RUN`'s do.
    fileprivate var isPlain: Bool {
        let isNoted = ["dnsSearch", "dnsOptions", "sysctls"].contains { !(notes?[$0] ?? "").isEmpty }
        return !isNoted && !host.privileged && !host.readOnlyRoot && host.mounts.isEmpty && host.tmpfs.isEmpty
            && host.capAdd.isEmpty && host.capDrop.isEmpty && host.securityOptions.isEmpty && host.extraHosts.isEmpty
            && host.dns.isEmpty && host.groupAdd.isEmpty && host.devices.isEmpty && host.ulimits.isEmpty
            && host.networkMode != "none" && (config.volumes ?? [:]).isEmpty && hasPlainNames && !host.useInit
            && host.shmSize ?? Self.usualSharedMemory == Self.usualSharedMemory && (host.cpuSet ?? "").isEmpty
    }
}
