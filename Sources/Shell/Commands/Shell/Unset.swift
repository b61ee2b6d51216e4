package import ArgumentParser
package import Basics
import Rendering
import ShellLanguage

/// `unset`: removes variables.
package struct Unset: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "unset", abstract: "Forget variables", usage: "unset NAME...")
    package static let operandKinds: [ValueKind] = [.variable]
    package static let isWorthKeeping = false
    package static let examples = ["name = busybox", "unset name", "unset img ctr"]
    package static let differences = [
        "Docker has no variables. One of the host's environment is seen again under its name."
    ]

    @Argument(help: "The variables, without their $.") var names: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !names.isEmpty else { throw ShaleError(.usage, "unset: which variable?", hint: "unset NAME") }
        for name in names {
            guard name.isAssignableName else {
                throw ShaleError(.usage, "unset: \"\(name.visible)\" is no variable's name", hint: "unset NAME")
            }
        }
        for name in names { shell.variables[name] = nil }
        return .done
    }
}

/// `clear`: an empty screen.
package struct Clear: Verb {
    package static let configuration = CommandConfiguration(commandName: "clear", abstract: "Clear the screen")
    package static let isWorthKeeping = false
    package static let examples = ["clear", "clear; ps", "ps && clear"]
    package static let differences = ["Docker has no such command. Ctrl-L does the same."]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        // The screen and what was scrolled off it, then the cursor's first place.
        if shell.console.canRedraw(.output) { shell.console.write("\u{1b}[H\u{1b}[2J\u{1b}[3J") }
        return .done
    }
}
