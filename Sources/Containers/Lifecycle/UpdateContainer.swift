package import Basics
import OCI
import RunnerProtocol
import Runtime
package import Stores

/// What `update` changes of a container.
package struct ContainerUpdate: Sendable {
    fileprivate let limits: ContainerLimits
    fileprivate let restart: RestartOption?

    /// `restart` is a policy as `--restart` takes it.
    ///
    /// Throws `invalid` or `usage` when a limit or the policy cannot be read.
    package init(limits options: LimitOptions, restart text: String?) throws(ShaleError) {
        limits = try ContainerLimits(options)
        restart = try text.map { text throws(ShaleError) in try RestartOption(parsing: text) }
    }

    /// Words for what cannot be kept, once for all containers.
    package var note: String? { restart?.note }
}

extension ContainerEngine {
    /// Changes limits and restart policy, of a running container at once.
    ///
    /// Throws what checking the limits, asking the runner or writing the record throws, in docker's words.
    package func update(_ record: ContainerRecord, _ change: ContainerUpdate) throws(ShaleError) {
        do throws(ShaleError) {
            var host = record.host
            try apply(change, to: &host)
            try pass(change, of: host, to: record)
        } catch {
            throw ShaleError(
                error.code, "Cannot update container \(record.id): \(error.message)", cause: error.cause,
                hint: error.hint)
        }
        try store.containers.update(record.id) { record throws(ShaleError) in try apply(change, to: &record.host) }
        store.events.append(StoreEvent("update", of: record))
    }

    private func apply(_ change: ContainerUpdate, to host: inout HostConfig) throws(ShaleError) {
        if let restart = change.restart {
            if host.autoRemove, restart.name != "no" {
                throw ShaleError(
                    .conflict, "Restart policy cannot be updated because AutoRemove is enabled for the container")
            }
            restart.write(to: &host)
        }
        if host.memory > 0, host.memorySwap == nil, change.limits.memory != nil {
            // The count of restarts so far is kept.
            host.memorySwap = host.memory.multipliedReportingOverflow(by: 2).overflow ? -1 : host.memory * 2
        }
        change.limits.write(to: &host)
        guard let both = host.memorySwap, both > 0 else { return }
        guard host.memory > 0 else {
            throw ShaleError(
                .invalid, "You should always set the Memory limit when using Memoryswap limit, see usage")
        }
        guard host.memory <= both else {
            throw ShaleError(
                .conflict,
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
            )
        }
    }

    private func pass(
        _ change: ContainerUpdate, of host: HostConfig, to record: ContainerRecord
    ) throws(ShaleError) {
        var possible = change.limits
        if let refusal = possible.dropImpossible().first {
            throw ShaleError(.unsupported, refusal, hint: "doctor")
        }
        guard state(of: record.id).isRunning else { return }
        let folder = store.containers.folder(record.id).socketDirectory
        if change.limits != ContainerLimits() {
            var resources = host.resources
            // Written also when there is none any more.
            if change.limits.processes == 0 { resources.processes = 0 }
            try runtime.setLimits(resources, containerID: record.id, socketDirectory: folder)
        }
        guard change.restart != nil else { return }
        var changed = record
        changed.host = host
        try runtime.setRestart(changed.restartPlan, socketDirectory: folder)
    }
}
