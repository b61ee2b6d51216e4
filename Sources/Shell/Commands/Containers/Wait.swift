package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering

/// `wait CONTAINER…`: prints their exit codes when they have ended.
package struct Wait: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until containers have ended, and print their exit codes",
        usage: "wait CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.container]
    package static let managementNames: [ManagementName] = ["container wait"]
    package static let examples = ["run -d --name short busybox sleep 1", "wait short", "wait $ctr"]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]
    package static let isWorthKeeping = false

    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !containers.isEmpty else {
            throw ShaleError(.usage, "'wait' requires at least 1 argument", hint: "wait CONTAINER")
        }
        let engine = try shell.engine()
        var failures: [ShaleError] = []
        for name in containers {
            do throws(ShaleError) {
                let code = try engine.containers.wait(
                    engine.containers.container(name).record, cancellation: shell.cancellation)
                shell.console.line("\(code)")
            } catch {
                if error.code == .cancelled { throw error }
                failures.append(error)
            }
        }
        return try shell.outcome(.none, failures: failures)
    }
}
