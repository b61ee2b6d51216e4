package import ArgumentParser
package import Basics
import Containers
import Recipes
import Stores

/// `exec CONTAINER COMMAND…`.
package struct Exec: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command in a running container",
        usage: "exec [OPTIONS] CONTAINER COMMAND [ARG…]", helpNames: .long)
    package static let operandKinds: [ValueKind] = [.runningContainer, .program]
    package static let holdsContainerCommand = true
    package static let managementNames: [ManagementName] = ["container exec"]
    package static let examples = ["exec web ls /", "exec -it web sh", "exec -e A=1 -w /tmp web env"]
    package static let differences = [
        "What it changes is told by the container's recipe, where nothing else ran meanwhile."
    ]

    @Flag(name: .shortAndLong, help: "Keep standard input open") var interactive = false
    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give it a terminal") var terminal = false
    @Flag(name: .shortAndLong, help: "Let it run by itself") var detach = false
    @OptionGroup var process: ProcessFlags
    @Option(name: .customLong("env-file"), parsing: .unconditionalSingleValue, help: "Read variables from a file")
    var environmentFiles: [String] = []
    @Flag(help: "All capabilities") var privileged = false
    @Option(
        name: .customLong("detach-keys"), parsing: .unconditional,
        help: "Keys that leave it running (ctrl-p,ctrl-q)")
    var detachKeys: String?
    @Argument(parsing: .captureForPassthrough, help: "Name or id, and what to run") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var words = words
        if words.first == "--" { words.removeFirst() }
        if let flag = words.first, flag.hasPrefix("-") {
            throw CommandTable.unknownFlag(flag, of: "exec")
        }
        guard words.count >= 2, let name = words.first else {
            throw ShaleError(.usage, "'exec' requires at least 2 arguments", hint: "exec CONTAINER COMMAND [ARG…]")
        }
        var options = ExecOptions(command: Array(words.dropFirst()))
        options.interactive = interactive
        options.terminal = terminal
        options.detach = detach
        options.environment = process.environment
        options.environmentFiles = environmentFiles
        options.workingDirectory = process.workingDirectory
        options.user = process.user
        options.privileged = privileged
        options.initialSize = ContainerStreams.size(shell, terminal: terminal)
        if !detach { try ContainerStreams.checkTerminal(shell, terminal: terminal, interactive: interactive) }
        do throws(ShaleError) {
            let containers = try shell.containers()
            let record = try containers.container(name).record
            shell.remember(container: record.id)
            let streams = try ContainerStreams.make(shell, stdin: interactive && !detach, detachKeys: detachKeys)
            return ContainerStreams.outcome(try containers.exec(in: record, options, streams: streams))
        } catch {
            throw error.asEngineFailure()
        }
    }
}
