package import ArgumentParser
package import Basics
import Engine

/// `port CONTAINER [PORT[/PROTOCOL]]`.
package struct Port: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "port", abstract: "Show where a container's ports are on the host",
        usage: "port CONTAINER [PRIVATE_PORT[/PROTO]]")
    package static let examples = ["port web", "port web 80"]
    package static let differences = ["On the host's network nothing is published: the program's ports are the host's."]
    package static let isWorthKeeping = false

    @Argument(help: "Name or id") var container: String
    @Argument(help: "Only this port") var port: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        _ = try shell.engine().container(container)
        guard let port else { return .done }
        throw ShaleError(
            .notFound, "No public port '\(port.contains("/") ? port : "\(port)/tcp")' published for \(container)")
    }
}
