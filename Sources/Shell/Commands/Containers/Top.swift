package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering

/// `top CONTAINER [ps options]`.
package struct Top: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Show a container's processes", usage: "top CONTAINER [ps OPTIONS]")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container top"]
    package static let examples = ["top web", "top web -o pid,comm", "top web -e -f"]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]
    package static let isWorthKeeping = false

    @Argument(parsing: .captureForPassthrough, help: "Name or id, then options of ps") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let name = words.first else {
            throw ShaleError(.usage, "'top' requires at least 1 argument", hint: "top CONTAINER")
        }
        let containers = try shell.containers()
        let (titles, rows) = try containers.processes(
            of: containers.container(name).record, arguments: Array(words.dropFirst()))
        return .text(ElasticTabs.text([titles] + rows, spacing: .dockerTop))
    }
}
