package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `kill CONTAINER…`.
package struct Kill: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Send a signal to running containers",
        usage: "kill [OPTIONS] CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container kill"]
    package static let examples = ["kill -s HUP web", "kill web", "kill -s KILL db"]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Option(
        name: [.customShort("s", allowingJoined: true), .customLong("signal")], parsing: .unconditional,
        help: "The signal")
    var signal = "KILL"
    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let signal = signal
        return try shell.each(containers, of: "kill") { name throws(ShaleError) in
            let container: ContainerView
            do throws(ShaleError) {
                container = try engine.containers.container(name)
            } catch {
                throw ShaleError(error.code, "Cannot kill container: \(name)", cause: error.message, hint: error.hint)
            }
            try engine.containers.kill(container.record, signal: signal, named: name)
            engine.containers.awaitAutomaticRemoval(of: container.record, cancellation: shell.cancellation)
        }
    }
}
