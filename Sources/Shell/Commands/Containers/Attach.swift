package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering
import Runtime
import Stores

/// `attach CONTAINER`.
package struct Attach: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Join the streams of a running container", usage: "attach [OPTIONS] CONTAINER")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container attach"]
    package static let examples = [
        "attach web", "attach --detach-keys ctrl-x web", "attach --sig-proxy=false web",
    ]
    package static let differences = [
        "There is no daemon: it joins the container's own runner, from whichever shale on the home."
    ]
    package static let isWorthKeeping = false

    @Option(name: .customLong("detach-keys"), help: "Keys that leave it running (ctrl-p,ctrl-q)") var detachKeys:
        String?
    @Flag(name: .customLong("no-stdin"), help: "Do not pass input on") var noInput = false
    @Flag(name: .customLong("sig-proxy"), inversion: .prefixedNo, help: "Pass signals on to it") var signalProxy = true
    @Argument(help: "Name or id") var container: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let containers = try shell.containers()
        let record = try containers.container(container).record
        let takesInput = record.console.openStdin && !noInput
        try ContainerStreams.checkTerminal(shell, terminal: record.console.tty, interactive: takesInput)
        var streams = try ContainerStreams.make(shell, stdin: takesInput)
        streams.proxiesSignals = signalProxy
        return ContainerStreams.outcome(try containers.attach(record, streams: streams, detachKeys: detachKeys))
    }
}
