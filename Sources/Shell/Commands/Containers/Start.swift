package import ArgumentParser
package import Basics
import Containers
import OCI
import Recipes
import Rendering
import RunnerProtocol
import Runtime
import Stores

/// `start CONTAINER…`.
package struct Start: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start stopped containers", usage: "start [OPTIONS] CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.stoppedContainer]
    package static let managementNames: [ManagementName] = ["container start"]
    package static let examples = ["start job", "start -ai $ctr", "start web db"]
    package static let differences = ["No container starts at boot, whatever its restart policy: there is no daemon."]

    @Flag(name: .shortAndLong, help: "Attach to its output") var attach = false
    @Flag(name: .shortAndLong, help: "Attach to its input too") var interactive = false
    @Option(name: .customLong("detach-keys"), help: "Keys that leave it running (ctrl-p,ctrl-q)") var detachKeys:
        String?
    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        if attach || interactive { return try startAttached(engine, shell) }
        return try shell.each(containers, of: "start", failing: "failed to start containers") {
            name throws(ShaleError) in
            let container = try engine.containers.container(name)
            // Docker leaves a paused container as it is, and says so.
            if container.state.status == .paused {
                throw ShaleError(
                    .conflict, "cannot start a paused container, try unpause instead", hint: "unpause \(name)")
            }
            _ = try engine.containers.start(container.record, streams: nil)
            shell.remember(container: container.record.id)
        }
    }

    private func startAttached(_ engine: Engine, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let name = containers.first, containers.count == 1 else {
            throw ShaleError(.usage, "you cannot start and attach multiple containers at once", exitStatus: 1)
        }
        let container = try engine.containers.container(name)
        let record = container.record
        try ContainerStreams.checkTerminal(shell, terminal: record.console.tty, interactive: interactive)
        shell.remember(container: record.id)
        let streams = try ContainerStreams.make(
            shell, stdin: interactive && record.console.openStdin, detachKeys: detachKeys ?? record.console.detachKeys)
        guard
            let started = try engine.containers.start(
                record, streams: streams, size: ContainerStreams.size(shell, terminal: record.console.tty))
        else {
            return ContainerStreams.outcome(
                try engine.containers.attach(record, streams: streams, detachKeys: detachKeys))
        }
        let end = try started.relay()
        if case .exited = end, record.host.autoRemove { engine.containers.removeFinished(record) }
        return ContainerStreams.outcome(end)
    }
}
