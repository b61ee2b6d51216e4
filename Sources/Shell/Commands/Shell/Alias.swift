package import ArgumentParser
package import Basics

/// `alias`: a name for a command with its options, in this shell.
package struct Alias: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Give a command line a name of its own", usage: "alias\nalias NAME = COMMAND …")
    package static let isWorthKeeping = false
    package static let isReserved = true
    package static let examples = ["alias ll = ls -l", "ll busybox:/etc", "alias"]
    package static let differences = ["Docker has none; put aliases into rc.shale to keep them."]

    @Argument(parsing: .captureForPassthrough, help: "NAME = COMMAND …") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let name = words.first else {
            return .lines(shell.aliases.sorted { $0.key < $1.key }.map { "alias \($0.key) = \($0.value)" })
        }
        guard words.count > 2, words[1] == "=" else {
            throw ShaleError(.usage, "alias: NAME = COMMAND", hint: "alias ll = ls -l")
        }
        guard CommandTable.shared.find(name)?.isReserved != true else {
            throw ShaleError(.usage, "alias: \(name) keeps its meaning")
        }
        shell.aliases[name] = words.dropFirst(2).map(\.shellQuoted).joined(separator: " ")
        return .done
    }
}
