package import ArgumentParser
package import Basics
import Containers
import OCI
import Recipes
import Rendering

/// `port CONTAINER [PORT[/PROTOCOL]]`.
package struct Port: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "port", abstract: "Show where a container's ports are on the host",
        usage: "port [OPTIONS] CONTAINER [PRIVATE_PORT[/PROTO]]")
    package static let operandKinds: [ValueKind] = [.container]
    package static let managementNames: [ManagementName] = ["container port"]
    package static let examples = ["port web", "port web 80", "port --format json web"]
    package static let differences = ["On the host's network nothing is published: the program's ports are the host's."]
    package static let isWorthKeeping = false

    @Option(help: "table, json, or a Go template of .ContainerPort, .HostIp and .HostPort") var format: String?
    @Argument(help: "Name or id") var container: String
    @Argument(help: "Only this port") var port: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let view = try shell.containers().container(container)
        var ports = view.ports.filter { !$0.address.isEmpty }
            .sorted { ($0.containerPort, $0.proto, $0.hostPort) < ($1.containerPort, $1.proto, $1.hostPort) }
        if let port {
            let key = try Self.key(port)
            ports = ports.filter { $0.key == key }
            guard !ports.isEmpty else {
                throw ShaleError(.notFound, "No public port '\(key)' published for \(container)")
            }
        }
        guard let format else {
            let isOne = port != nil
            let lines = ports.map { isOne ? $0.hostPlace : "\($0.key) -> \($0.hostPlace)" }
            return lines.isEmpty ? .done : .line(lines.joined(separator: "\n"))
        }
        var listing = Listing(columns: [
            Listing.Column("ContainerPort", "CONTAINER PORT"), Listing.Column("HostIp", "HOST IP"),
            Listing.Column("HostPort", "HOST PORT"),
        ])
        listing.rows = ports.map {
            .members([
                "ContainerPort": .string($0.key), "HostIp": .string($0.address), "HostPort": .string("\($0.hostPort)"),
            ])
        }
        return .listing(listing, format: format)
    }

    private static func key(_ text: String) throws(ShaleError) -> String {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard let number = parts.first.flatMap({ UInt16($0) }) else {
            throw ShaleError(.invalid, "invalid port: \(text)")
        }
        return "\(number)/\(parts.count > 1 ? parts[1].lowercased() : "tcp")"
    }
}
