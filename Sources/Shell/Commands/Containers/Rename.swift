package import ArgumentParser
package import Basics
import Engine

/// `rename CONTAINER NAME`.
package struct Rename: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a container another name", usage: "rename CONTAINER NEW_NAME")
    package static let examples = ["rename quiet_hopper web"]

    @Argument(help: "Name or id") var container: String
    @Argument(help: "The new name") var newName: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !container.isEmpty, !newName.isEmpty else {
            throw ShaleError(.invalid, "Neither old nor new names may be empty")
        }
        let engine = try shell.engine()
        try engine.rename(engine.container(container).record, to: newName)
        return .done
    }
}
