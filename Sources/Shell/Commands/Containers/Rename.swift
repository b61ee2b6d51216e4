package import ArgumentParser
package import Basics
import Containers
import Recipes
import Sessions
import Stores

/// `rename CONTAINER NAME`.
package struct Rename: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give a container another name", usage: "rename CONTAINER NEW_NAME")
    package static let operandKinds: [ValueKind] = [.container, .none]
    package static let managementNames: [ManagementName] = ["container rename"]
    package static let examples = ["rename web shop", "rename shop web-2", "rename $ctr last-one"]
    package static let differences = ["undo takes it back."]

    @Argument(help: "Name or id") var container: String
    @Argument(help: "The new name") var newName: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !container.isEmpty, !newName.isEmpty else {
            throw ShaleError(.invalid, "Neither old nor new names may be empty")
        }
        let containers = try shell.containers()
        let record = try containers.container(container).record
        try containers.rename(record, to: newName)
        let session = try shell.session()
        // A rename that frees the name for a removed container does not stop `undo`.
        let makesRoom = session.tree.nodes[session.tree.head]?.changes.contains { change in
            if case .removed(_, record.name) = change { true } else { false }
        }
        if makesRoom != true { shell.changes.append(.lost(.containerRenamed)) }
        return .done
    }
}
