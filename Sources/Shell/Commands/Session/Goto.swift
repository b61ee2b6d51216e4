package import ArgumentParser
package import Basics
import Sessions

/// `goto`: makes any state of the timeline current.
package struct Goto: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "goto", abstract: "Jump to a state of the timeline")
    package static let examples = ["timeline", "goto 4", "goto 0"]
    package static let differences = [
        "Docker cannot.", "Names and containers go along; what cannot be as it was then is told and left.",
    ]

    @Argument(help: "The state's number; 0 is the beginning.") var state: Int

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        let passage = try session.goto(state)
        for note in passage.notes { shell.console.warning(note) }
        return .lines(["now at state \(state)"] + MoveReport.place(session, passage.passed))
    }
}
