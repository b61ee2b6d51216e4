package import ArgumentParser
package import Basics
import Containers
import Linux
import OCI
import Recipes
import Rendering
import Stores

/// `debug CONTAINER|IMAGE`: a shell with tools of its own.
package struct Debug: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "debug", abstract: "A toolbox shell in a container or image that has none",
        usage: "debug [OPTIONS] CONTAINER|IMAGE [COMMAND] [ARG…]",
        discussion: """
            The tools are busybox's, at the end of PATH, and only this shell and what it starts see them: neither diff
            nor commit shows a trace. A running container is joined, and what is written to its own files stays. A
            stopped container or an image is seen through a layer that is thrown away at the end. It is root's, unless -u says
            whose.
            """, helpNames: .long)
    package static let operandKinds: [ValueKind] = [.object, .program]
    package static let holdsContainerCommand = true
    package static let examples = ["debug web", "debug web ps", "debug -c 'ls -l /etc' nginx:1.25"]
    package static let differences = [
        "docker debug needs Docker Desktop and an account; here it is a part of the shell, with busybox for a toolbox."
    ]

    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("command")], parsing: .unconditional,
        help: "A line for the shell instead of typing")
    var line: String?
    @Flag(name: .shortAndLong, help: .hidden) var interactive = false
    @Flag(name: [.customShort("t"), .customLong("tty")], help: .hidden) var terminal = false
    @OptionGroup var process: ProcessFlags
    @Argument(parsing: .captureForPassthrough, help: "A container or image, and what to run in it") var words:
        [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var words = words
        if words.first == "--" { words.removeFirst() }
        if let flag = words.first, flag.hasPrefix("-") { throw CommandTable.unknownFlag(flag, of: "debug") }
        guard let name = words.first else {
            throw ShaleError(.usage, "'debug' requires at least 1 argument", hint: "debug CONTAINER")
        }
        var options = DebugOptions()
        options.command = Array(words.dropFirst())
        if let line {
            guard options.command.isEmpty else {
                throw ShaleError(.usage, "debug: give a command either with -c or after the name")
            }
            options.command = ["sh", "-c", line]
        }
        options.terminal = terminal || options.command.isEmpty && Terminal.isTerminal(shell.input)
        options.interactive = interactive || options.command.isEmpty
        try ContainerStreams.checkTerminal(shell, terminal: options.terminal, interactive: options.interactive)
        options.environment = process.environment
        options.workingDirectory = process.workingDirectory
        options.user = process.user
        options.initialSize = ContainerStreams.size(shell, terminal: options.terminal)
        do throws(ShaleError) {
            let containers = try shell.containers()
            let target = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
                try containers.debugTarget(name, operation)
            }
            if case .container(let view) = target { shell.remember(container: view.record.id) }
            let streams = try ContainerStreams.make(shell, stdin: options.interactive)
            return ContainerStreams.outcome(try containers.debug(target, options, streams: streams))
        } catch {
            throw error.asEngineFailure()
        }
    }
}
