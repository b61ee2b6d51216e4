package import ArgumentParser
package import Basics
import Containers
import Diagnostics
import Glibc
import Logging
import OCI
import Recipes
import Rendering
import Runtime
import Stores

/// `run`: a container of an image, started.
package struct Run: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Make a container of an image and run a command in it",
        usage: "run [OPTIONS] IMAGE [COMMAND] [ARG…]", helpNames: .long)
    package static let operandKinds: [ValueKind] = [.image, .program]
    package static let holdsContainerCommand = true
    package static let managementNames: [ManagementName] = ["container run"]
    package static let examples = [
        "run --rm busybox echo hello", "run -it ubuntu:22.04 bash", "run -d --name web -v ./site:/srv busybox httpd -f",
    ]
    package static let differences = [
        "A container has the host's network; with -p, -P or --network private one of its own.",
        "No daemon: a detached container is held by a small process of its own, which keeps --restart too: it does "
            + "not start at boot.",
        "--network container:NAME shares another's network: the two reach each other by localhost.",
    ]

    @Flag(name: .shortAndLong, help: "Let it run by itself and print its id") var detach = false
    @OptionGroup var options: ContainerOptions
    @Argument(parsing: .captureForPassthrough, help: "The image, and what to run in it") var imageAndCommand: [String] =
        []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        do throws(ShaleError) {
            return try run(shell)
        } catch {
            throw error.asEngineFailure()
        }
    }

    private func run(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        var options = try self.options.runOptions(imageAndCommand: imageAndCommand, verb: "run", shell)
        options.detach = detach
        if !detach {
            try ContainerStreams.checkTerminal(shell, terminal: options.terminal, interactive: options.interactive)
        }
        let engine = try shell.engine()
        let record = try shell.withOperation(lines: .errors, isQuiet: self.options.isQuiet) {
            operation throws(ShaleError) in
            try Observer.measure(.container, "create") { () throws(ShaleError) in
                try engine.containers.createContainer(options, operation)
            }
        }
        shell.remember(container: record.id)
        do throws(ShaleError) {
            return try start(record, engine, shell)
        } catch {
            if record.host.autoRemove {
                _ = Logger.shell.attempt("remove container \(record.name)") {
                    try engine.containers.remove(record, force: true, named: record.name)
                }
            }
            throw error
        }
    }

    private func start(
        _ record: ContainerRecord, _ engine: Engine, _ shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        if detach {
            _ = try engine.containers.start(record, streams: nil)
            return .line(record.id)
        }
        let console = record.console
        let streams = try ContainerStreams.make(
            shell, stdin: console.openStdin && console.attachStdin, stdout: console.attachStdout,
            stderr: console.attachStderr, detachKeys: console.detachKeys)
        let container = try engine.containers.start(
            record, streams: streams, size: ContainerStreams.size(shell, terminal: console.tty))
        let end: AttachOutcome
        do throws(ShaleError) {
            end = try container?.relay() ?? .detached
        } catch {
            // Nobody reads its output any more, so it is ended; otherwise it might write without end.
            if error.exitStatus == 141 {
                Logger.shell.attempt("kill container \(record.name)") {
                    try engine.containers.kill(record, named: record.name)
                }
            }
            throw error
        }
        if case .exited = end, record.host.autoRemove { engine.containers.removeFinished(record) }
        return ContainerStreams.outcome(end)
    }
}
