package import Basics
import Linux
package import OCI
import Stores

/// What is known of a container beside its deeds, as it was when it was committed or looked at.
package struct ContainerFacts: Sendable, Codable {
    /// Paths that changed after the last deed; `nil` where that is not known.
    package var changedLast: [String]?
    /// Whether its processes saw no more of the host, and had no other rights, than `RUN` gives: no mounts, no devices,
    /// no capabilities and limits of their own, the host's network.
    package var isPlain: Bool
    /// Whether somebody could type into it.
    package var isInteractive: Bool
    /// The status of its own command; `nil` while that runs, and before.
    package var exitCode: Int32?
    /// When that ended.
    package var finished: Timestamp?
    /// Its settings, before the changes a commit makes.
    package var settings: ContainerConfig
    /// Lines that its shell's own history names, never known to be all.
    package var typed: [String]?
}

extension Engine {
    /// How an image of a container comes to be: what a recipe is made from.
    func story(of container: ContainerRecord, above base: Image, changes: [String]) -> Provenance {
        let state = state(of: container.id)
        let isOver = !state.isRunning && state.finishedAt != nil
        let facts = ContainerFacts(
            changedLast: changesSinceLastDeed(of: container), isPlain: container.isPlain,
            isInteractive: container.console.tty || container.console.openStdin,
            exitCode: isOver ? state.exitCode : nil, finished: isOver ? state.finishedAt : nil,
            settings: container.config, typed: typedLines(of: container))
        var story = Provenance(
            parent: base.id, base: container.imageName,
            origin: .commit(
                container: container.id, name: container.name, command: container.command, changes: changes,
                deeds: store.containers.deeds(of: container.id)))
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
