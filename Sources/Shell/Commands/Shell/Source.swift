package import ArgumentParser
package import Basics

/// `source`: the lines of a file, as if typed here.
package struct Source: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Run the lines of a file in this shell")
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let leasesWhatItUses = false
    package static let examples = ["source setup.shale"]

    @Argument(help: "The file.") var file: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .status(try ScriptRun(shell).run(file: file, arguments: []))
    }
}
