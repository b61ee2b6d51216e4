package import ArgumentParser
package import Basics

/// `tall`, or `\x`: tables with a field a line.
package struct Tall: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "tall", abstract: "Show tables with a field a line, or as tables again", usage: "tall [on|off]",
        discussion: "It holds until this shale ends. \\x is the same, as in psql. What is asked for with --format "
            + "stays as it is.")
    package static let operandKinds: [ValueKind] = [.none]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let asksOnlyTheProgram = true
    package static let examples = ["tall", "tall on", "\\x"]
    package static let differences = ["Docker has no such command."]

    @Argument(help: "on or off; without it, the other of the two.") var wanted: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        switch wanted {
        case nil: shell.showsTall.toggle()
        case "on": shell.showsTall = true
        case "off": shell.showsTall = false
        case let other?:
            throw ShaleError(.usage, "tall: \(other.visible) is neither on nor off", hint: "tall on")
        }
        return .line(shell.showsTall ? "tables have a field a line now" : "tables are tables again")
    }
}
