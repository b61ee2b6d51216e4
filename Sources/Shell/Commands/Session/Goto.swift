package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `goto`: makes any state of the timeline current.
package struct Goto: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "goto", abstract: "Jump to a state of the timeline")
    package static let operandKinds: [ValueKind] = [.state]
    package static let writesItsOwnEntries = true
    package static let examples = ["timeline", "goto 4", "goto 0"]
    package static let differences = [
        "Docker cannot.", "Names and containers go along; what cannot be as it was then is told and left.",
    ]

    @Argument(help: "The state's number; 0 is the beginning.") var state: Int
    @Flag(name: .shortAndLong, help: "Do not ask.") var force = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        if shell.isInteractive, !force { try askAboutNames(session, shell) }
        let result = try Observer.measure(.session, "goto") { () throws(ShaleError) in try session.goto(state) }
        for note in result.notes { shell.console.warning(note) }
        return .lines(["now at state \(state)"] + MoveReport.place(session, result.passed))
    }

    /// Asks first when most of the names would be removed: a user who types a number rarely intends that.
    private func askAboutNames(_ session: Session, _ shell: ShellContext) throws(ShaleError) {
        try session.refresh()
        let tree = session.tree
        guard state == 0 || tree.nodes[state] != nil else { return }
        let here = Set(try shell.images().names())
        let changes = tree.nameChanges(from: tree.head, to: state)
        let gone = here.intersection(changes.filter { $0.target == nil }.map(\.reference)).map(\.familiar).sorted()
        guard gone.count > 1, gone.count * 2 > here.count else { return }
        let shown = gone.prefix(5).joined(separator: ", ") + (gone.count > 5 ? ", …" : "")
        shell.console.note(
            "WARNING! state \(state) is before \(gone.count) of the \(here.count) names that are here: \(shown)")
        try Question(refusal: "goto has been cancelled", hint: "goto -f \(state)").ask(shell)
    }
}
