package import ArgumentParser
package import Basics

/// `source`: the lines of a file, as if typed here.
package struct Source: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "source", abstract: "Run the lines of a file in this shell",
        usage: "source FILE [ARG…]")
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let leasesWhatItUses = false
    package static let examples = [
        "source setup.shale", "source setup.shale app:1 web", "source setup.shale > setup.log",
    ]
    package static let differences = ["Docker has none."]

    @Argument(help: "The file.") var file: String
    @Argument(parsing: .captureForPassthrough, help: "What $1, $2 and so on are in it.") var arguments: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .status(try ScriptRun(shell).run(file: file, arguments: arguments))
    }
}
