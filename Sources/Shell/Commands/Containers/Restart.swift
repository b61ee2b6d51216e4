package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `restart CONTAINER…`.
package struct Restart: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop containers and start them again",
        usage: "restart [OPTIONS] CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.container]
    package static let managementNames: [ManagementName] = ["container restart"]
    package static let examples = [
        "restart -t 0 web", "restart -s INT -t 1 web db", "restart -t 0 $ctr",
    ]
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
        return try shell.each(containers, of: "restart") { name throws(ShaleError) in
            let record = try engine.containers.container(name).record
            try engine.containers.restart(record, timeout: timeout, signal: signal, cancellation: shell.cancellation)
        }
    }
}
