package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `pause CONTAINER…`.
package struct Pause: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let containers stand still", usage: "pause CONTAINER [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container pause"]
    package static let examples = ["pause web", "ps --filter status=paused", "unpause web"]
    package static let differences = ["Where no control group may be used, the processes are stopped one by one."]

    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        return try shell.each(containers, of: "pause") { name throws(ShaleError) in
            try engine.containers.pause(engine.containers.container(name).record)
        }
    }
}
