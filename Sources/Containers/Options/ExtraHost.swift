package import Basics
import Glibc

/// `--add-host NAME:ADDRESS` or `NAME=ADDRESS`.
package enum ExtraHost {
    /// The entry in docker's form `name:address`.
    ///
    /// Throws `usage` for a malformed text.
    package static func parse(_ text: String) throws(ShaleError) -> String {
        guard let end = text.firstIndex(where: { $0 == "=" || $0 == ":" }), end != text.startIndex else {
            throw ShaleError(.usage, "bad format for add-host: \"\(text)\"")
        }
        let name = text[..<end]
        let written = String(text[text.index(after: end)...])
        var address = written
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
        guard address == "host-gateway" || isAddress(address) else {
            throw ShaleError(.usage, "invalid IP address in add-host: \"\(written)\"")
        }
        return "\(name):\(address)"
    }

    static func isAddress(_ text: String) -> Bool {
        var four = in_addr()
        var six = in6_addr()
        return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &six) == 1
    }
}
