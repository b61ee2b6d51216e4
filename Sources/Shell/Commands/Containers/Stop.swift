package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `stop CONTAINER…`.
package struct Stop: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop running containers", usage: "stop [OPTIONS] CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container stop"]
    package static let examples = ["stop web", "stop -t 1 $ctr", "stop -s INT -t 1 db"]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Option(
        name: [.customShort("t", allowingJoined: true), .customLong("timeout"), .customLong("time")],
        parsing: .unconditional,
        help: "Seconds to wait before killing it")
    var timeout: Int?
    @Option(name: .shortAndLong, parsing: .unconditional, help: "Signal to send") var signal: String?
    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let (timeout, signal) = (timeout, signal)
        return try shell.each(containers, of: "stop") { name throws(ShaleError) in
            let record = try engine.containers.container(name).record
            try engine.containers.stop(record, timeout: timeout, signal: signal, cancellation: shell.cancellation)
            engine.containers.awaitAutomaticRemoval(of: record, cancellation: shell.cancellation)
        }
    }
}
