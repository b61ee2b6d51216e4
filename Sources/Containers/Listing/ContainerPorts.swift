import Basics
import Dockerfiles
import OCI
import RunnerProtocol
import Runtime
import Stores

/// A port of a container, for `ps`, `port` and `inspect`.
package struct ContainerPort: Sendable, Hashable {
    /// The address of the host; empty for a port that is exposed and not published.
    package var address = ""
    package var hostPort = 0
    package var containerPort: Int
    package var proto: String

    package init(address: String = "", hostPort: Int = 0, containerPort: Int, proto: String) {
        self.address = address
        self.hostPort = hostPort
        self.containerPort = containerPort
        self.proto = proto
    }

    /// The key, such as `80/tcp`.
    package var key: String { "\(containerPort)/\(proto)" }
    /// The host's address and port, such as `0.0.0.0:8080`.
    package var hostPlace: String { Self.place(address, String(hostPort)) }

    private static func place(_ address: String, _ port: String) -> String {
        address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    private static func inOrder(_ one: ContainerPort, _ other: ContainerPort) -> Bool {
        if one.containerPort != other.containerPort { return one.containerPort < other.containerPort }
        if one.address != other.address {
            if one.address.contains(":") != other.address.contains(":") { return other.address.contains(":") }
            let numbers = { (text: String) in text.split(separator: ".").compactMap { Int($0) } }
            return numbers(one.address).lexicographicallyPrecedes(numbers(other.address))
        }
        return (one.hostPort, one.proto) < (other.hostPort, other.proto)
    }

    /// The text of docker's PORTS column.
    ///
    /// Adjacent ports are joined to ranges. Ports with another number on the host come last.
    package static func summary(_ ports: [ContainerPort]) -> String {
        struct Group: Hashable {
            var address: String
            var proto: String
        }
        var order: [Group] = []
        var open: [Group: ClosedRange<Int>] = [:]
        var parts: [String] = []
        var mapped: [String] = []
        func close(_ group: Group) {
            guard let range = open[group] else { return }
            let text = range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            parts.append((group.address.isEmpty ? text : "\(place(group.address, text))->\(text)") + "/\(group.proto)")
        }
        for port in ports.sorted(by: inOrder) {
            if !port.address.isEmpty, port.hostPort != port.containerPort {
                mapped.append("\(port.hostPlace)->\(port.key)")
                continue
            }
            let group = Group(address: port.address, proto: port.proto)
            if let range = open[group], port.containerPort == range.upperBound + 1 {
                open[group] = range.lowerBound...port.containerPort
                continue
            }
            if open[group] == nil { order.append(group) } else { close(group) }
            open[group] = port.containerPort...port.containerPort
        }
        for group in order { close(group) }
        return (parts + mapped).joined(separator: ", ")
    }
}

extension ContainerView {
    /// The published ports of a running container with a private network, and its exposed ports.
    package var ports: [ContainerPort] {
        guard state.isRunning, record.host.networkMode == "private" else { return [] }
        let published = state.ports.map {
            ContainerPort(
                address: $0.hostAddress, hostPort: Int($0.hostPort), containerPort: Int($0.containerPort),
                proto: $0.proto)
        }
        let keys = Set(published.map(\.key))
        let exposed = (record.config.exposedPorts ?? [:]).keys.compactMap { key -> ContainerPort? in
            let words = key.split(separator: "/")
            guard !keys.contains(key), let number = words.first.flatMap({ Int($0) }) else { return nil }
            return ContainerPort(containerPort: number, proto: words.count > 1 ? String(words[1]) : "tcp")
        }
        return published + exposed
    }
}

extension ContainerRecord {
    /// The ports to publish at the start: those of `-p`, and with `-P` all other exposed ports.
    func publishedPorts() throws(ShaleError) -> [PublishedPort] {
        var ports: [PublishedPort] = []
        for text in host.ports { ports += try PublishedPort.parse(text) }
        guard host.publishAll else { return ports }
        let taken = Set(ports.map { "\($0.containerPort)/\($0.proto)" })
        for key in (config.exposedPorts ?? [:]).keys.sorted() where !taken.contains(key) {
            ports += try PublishedPort.parse(key)
        }
        return ports
    }
}

extension PublishedPort {
    /// Reads `-p`: `[[IP:][HOSTPORT]:]PORT[/PROTO]` with ranges, or docker's long form `published=…,target=…`.
    ///
    /// - Throws: docker's words; `unsupported`, by name, for what the user-mode network does not carry.
    static func parse(_ text: String) throws(ShaleError) -> [PublishedPort] {
        let specification = try PortSpecification(parsing: text.contains("=") ? short(form: text) : text)
        guard specification.proto != "sctp" else {
            throw ShaleError(.unsupported, "-p \(text): sctp is not supported: tcp and udp are")
        }
        guard !specification.address.contains(":") else {
            throw ShaleError(.unsupported, "-p \(text): ports are published on IPv4 addresses only")
        }
        guard specification.ports.lowerBound > 0 else {
            throw ShaleError(.invalid, "invalid containerPort: \(specification.ports.lowerBound)")
        }
        let address = specification.address.isEmpty ? "0.0.0.0" : specification.address
        return specification.ports.enumerated().map { place, port in
            var hostPorts: ClosedRange<UInt16>?
            if let range = specification.hostPorts, range != 0...0 {
                let isOneToOne = range.count == specification.ports.count
                let first = isOneToOne ? range.lowerBound + place : range.lowerBound
                hostPorts = UInt16(first)...UInt16(isOneToOne ? first : range.upperBound)
            }
            return PublishedPort(
                proto: specification.proto, containerPort: UInt16(port), hostAddress: address, hostPorts: hostPorts)
        }
    }

    private static func short(form text: String) throws(ShaleError) -> String {
        var target = ""
        var published = ""
        var proto = "tcp"
        for field in text.split(separator: ",") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw ShaleError(.usage, "invalid field format: \(field)") }
            switch parts[0].lowercased() {
            case "target": target = parts[1]
            case "published": published = parts[1]
            case "protocol": proto = parts[1]
            case "mode": continue
            default: throw ShaleError(.usage, "invalid field key: \(parts[0])")
            }
        }
        guard !target.isEmpty else { throw ShaleError(.usage, "missing mandatory field 'target'") }
        return (published.isEmpty ? target : "\(published):\(target)") + "/\(proto)"
    }
}
