package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering
import Stores

/// `create`: a container, not started.
package struct Create: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a container without starting it",
        usage: "create [OPTIONS] IMAGE [COMMAND] [ARG…]", helpNames: .long)
    package static let operandKinds: [ValueKind] = [.image, .program]
    package static let holdsContainerCommand = true
    package static let managementNames: [ManagementName] = ["container create"]
    package static let examples = [
        "create --name shop nginx:1.25", "create -it ubuntu:22.04 bash",
        "create --name cache -v data:/data busybox httpd -f",
    ]
    package static let differences = [
        "What the host cannot give is refused by name, as with run; 'doctor' says what it lacks."
    ]

    @OptionGroup var options: ContainerOptions
    @Argument(parsing: .captureForPassthrough, help: "The image, and what to run in it") var imageAndCommand: [String] =
        []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        do throws(ShaleError) {
            let options = try self.options.runOptions(imageAndCommand: imageAndCommand, verb: "create", shell)
            let record = try shell.withOperation(lines: .errors, isQuiet: self.options.isQuiet) {
                operation throws(ShaleError) in
                try shell.containers().createContainer(options, operation)
            }
            shell.remember(container: record.id)
            return .line(record.id)
        } catch {
            throw error.asEngineFailure()
        }
    }
}
