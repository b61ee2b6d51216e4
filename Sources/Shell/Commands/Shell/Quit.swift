package import ArgumentParser
package import Basics

/// `quit`: ends the prompt or the script.
package struct Quit: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "quit", abstract: "Leave", usage: "quit [STATUS]", aliases: ["exit"])
    package static let operandKinds: [ValueKind] = [.none]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isReserved = true
    package static let leasesWhatItUses = false
    package static let examples = ["quit", "quit 3", "exit"]
    package static let differences = ["Docker has no prompt to leave."]

    @Argument(
        parsing: .captureForPassthrough,
        help: .init("The exit status; without it, that of the last command.", valueName: "status"))
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .leave(words.first.flatMap { Int32($0) } ?? shell.lastStatus)
    }
}
