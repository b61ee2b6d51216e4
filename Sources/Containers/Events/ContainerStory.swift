import Basics
package import Images
import Linux
import OCI
import RunnerProtocol
package import Stores

extension ContainerEngine {
    /// The provenance of an image that is committed from a container.
    ///
    /// Recipes are made from it.
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

    /// Whether the options set no host names.
    private var hasPlainNames: Bool {
        (domainname ?? "").isEmpty && (hostname == Identifier.short(id) || host.networkMode == "host")
    }

    /// Whether its processes run under the same conditions as a `RUN`.
    ///
    /// Every option except the members named here makes a difference.
    fileprivate var isPlain: Bool {
        var given = host
        if given.networkMode != "none" { given.networkMode = HostConfig().networkMode }
        if given.shmSize == Self.usualSharedMemory { given.shmSize = nil }
        given.binds = []
        (given.autoRemove, given.containerIDFile) = (false, nil)
        (given.ports, given.publishAll) = ([], false)
        (given.memory, given.memorySwap, given.pidsLimit) = (0, nil, 0)
        (given.nanoCPUs, given.cpuShares) = (0, nil)
        if given.cpuSet == "" { given.cpuSet = nil }
        if given.memorySet == "" { given.memorySet = nil }
        (given.restartPolicy, given.restartLimit) = (nil, nil)
        (given.logDriver, given.logOptions) = (nil, [])
        return given == HostConfig() && (config.volumes ?? [:]).isEmpty && hasPlainNames
    }
}
