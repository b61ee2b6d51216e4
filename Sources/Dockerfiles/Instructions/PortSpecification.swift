package import Basics

/// The arguments of `EXPOSE` and of `-p`: `[IP:][HOSTPORT:]PORT[-PORT][/PROTO]`; `EXPOSE` ignores the host's part.
package struct PortSpecification: Sendable, Hashable {
    /// First and last port of the container.
    package var ports: ClosedRange<Int>
    /// `tcp`, `udp` or `sctp`.
    package var proto: String
    /// The host's address, without brackets; empty for every one.
    package var address: String
    /// The host's ports; `nil` when none was named.
    package var hostPorts: ClosedRange<Int>?
    /// Whether the protocol was not in lower case.
    package var hasUpperCaseProtocol: Bool

    /// Keys as an image's `ExposedPorts` has them: `80/tcp`.
    package var keys: [String] { ports.map { "\($0)/\(proto)" } }

    /// Reads one argument; throws `.invalid` in docker's words.
    package init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let container = parts.last ?? ""
        let host = parts.count > 1 ? parts[parts.count - 2] : ""
        let address = parts.dropLast(2).joined(separator: ":")
        let pieces = container.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let range = pieces.first ?? ""
        let written = pieces.count > 1 ? pieces[1] : ""
        guard !range.isEmpty else {
            throw ShaleError(.invalid, "invalid port: \(goQuoted(text)): no port specified")
        }
        guard ["", "tcp", "udp", "sctp"].contains(written.lowercased()) else {
            throw ShaleError(.invalid, "invalid port: \(goQuoted(text)): invalid proto: \(written)")
        }
        if !address.isEmpty, !Self.isAddress(address) {
            throw ShaleError(.invalid, "invalid IP address: \(address)")
        }
        guard let ports = Self.range(range) else { throw ShaleError(.invalid, "invalid containerPort: \(range)") }
        var published: ClosedRange<Int>?
        if !host.isEmpty {
            guard let hostPorts = Self.range(host) else { throw ShaleError(.invalid, "invalid hostPort: \(host)") }
            if hostPorts.count != ports.count, ports.count != 1 {
                throw ShaleError(
                    .invalid, "invalid ranges specified for container and host Ports: \(range) and \(host)")
            }
            published = hostPorts
        }
        self.ports = ports
        proto = written.isEmpty ? "tcp" : written.lowercased()
        self.address = String(address.drop { $0 == "[" }.prefix { $0 != "]" })
        hostPorts = published
        hasUpperCaseProtocol = written != written.lowercased()
    }

    private static func range(_ text: String) -> ClosedRange<Int>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = ends.first.flatMap(number) else { return nil }
        guard ends.count > 1 else { return first...first }
        guard let last = number(ends[1]), last >= first else { return nil }
        return first...last
    }

    private static func number(_ text: Substring) -> Int? {
        guard let value = Int(text), (0...65_535).contains(value) else { return nil }
        return value
    }

    /// Whether the text is an IPv4 address, or an IPv6 address with or without brackets.
    private static func isAddress(_ text: String) -> Bool {
        var body = text[...]
        if body.hasPrefix("["), body.hasSuffix("]") { body = body.dropFirst().dropLast() }
        return isIPv4(body) || isIPv6(body)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.count <= 3 && part.allSatisfy { $0.isASCII && $0.isNumber } && UInt8(part) != nil
                    && (part.count == 1 || part.first != "0")
            }
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count >= 3, groups.count <= 9 else { return false }
        // An empty group at an end is half of a leading or trailing `::`.
        if groups.first == "", groups.count > 1, groups[1] == "" { groups.removeFirst() }
        if groups.last == "", groups.count > 1, groups[groups.count - 2] == "" { groups.removeLast() }
        let gaps = groups.count { $0.isEmpty }
        var width = groups.count - gaps
        for (index, group) in groups.enumerated() where !group.isEmpty {
            if index == groups.count - 1, isIPv4(group) {
                width += 1
            } else if group.count > 4 || !group.allSatisfy(\.isHexDigit) {
                return false
            }
        }
        return gaps == 0 ? width == 8 : gaps == 1 && width < 8
    }
}
