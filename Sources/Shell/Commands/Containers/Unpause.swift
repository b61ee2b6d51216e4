package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `unpause CONTAINER…`.
package struct Unpause: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "unpause", abstract: "Let paused containers go on", usage: "unpause CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.pausedContainer]
    package static let managementNames: [ManagementName] = ["container unpause"]
    package static let examples = [
        "pause web db", "unpause db", "unpause $(ps -q --filter status=paused)",
    ]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        return try shell.each(containers, of: "unpause") { name throws(ShaleError) in
            try engine.containers.unpause(engine.containers.container(name).record)
        }
    }
}
