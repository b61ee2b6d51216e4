package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering

/// `export CONTAINER|IMAGE`: its files as a tar.
package struct Export: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the files of a container or an image as a tar",
        usage: "export [OPTIONS] CONTAINER|IMAGE")
    package static let operandKinds: [ValueKind] = [.object]
    package static let managementNames: [ManagementName] = ["container export"]
    package static let examples = [
        "export -o web.tar web", "export ubuntu:22.04 | tar -t", "export web | gzip > web.tar.gz",
    ]
    package static let differences = ["Also of an image: its own tree, and nothing that running adds."]

    @Option(name: [.customShort("o", allowingJoined: true), .customLong("output")], help: "Write to a file") var output:
        String?
    @Argument(help: "Name or id") var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if output == nil, shell.console.isTerminal(.output) {
            throw ShaleError(
                .usage, "cowardly refusing to save to a terminal. Use the -o flag or redirect",
                hint: "export -o FILE.tar \(name)")
        }
        let containers = try shell.containers()
        let tree = try containers.tree(of: name)
        try ArchiveOutput.write(to: output, doing: "export", shell) { sink throws(ShaleError) in
            try containers.export(tree, cancellation: shell.cancellation, to: sink)
        }
        return .done
    }
}
