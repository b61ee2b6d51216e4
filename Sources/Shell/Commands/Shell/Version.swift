package import ArgumentParser
package import Basics

/// `version`: which shale this is.
package struct Version: Verb {
    package static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version")
    package static let isWorthKeeping = false
    package static let current = "0.1.0"
    package static let examples = ["version"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .line("shale \(Self.current)")
    }
}
