import Glibc

/// The hosts that no proxy is asked for: `NO_PROXY` as libcurl reads it (lib/noproxy.c of 7.88).
///
/// Names with all below them (`example.com` or `.example.com`), addresses, ranges of addresses (`10.0.0.0/8`,
/// `fd00::/8`), `*` for all; separated by commas or spaces; ports mean nothing.
struct ProxyExceptions: Sendable {
    private let entries: [String]

    init(_ text: String) {
        entries = text.split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    func contains(_ host: String) -> Bool {
        if entries == ["*"] { return true }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        if let address = Self.address(bare) { return entries.contains { Self.range($0, holds: address) } }
        let name = Self.name(bare)
        return entries.contains { entry in
            let wanted = Self.name(entry.hasPrefix(".") ? String(entry.dropFirst()) : entry)
            return !wanted.isEmpty && (name == wanted || name.hasSuffix(".\(wanted)"))
        }
    }

    private static func name(_ text: String) -> String {
        (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
    }

    private static func range(_ entry: String, holds address: [UInt8]) -> Bool {
        let parts = entry.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = Self.address(String(parts[0])), base.count == address.count else { return false }
        // What is no number of bits stands for all of them.
        let given = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        guard (0...base.count * 8).contains(given) else { return false }
        let bits = given == 0 ? base.count * 8 : given
        let whole = bits / 8
        guard base[..<whole] == address[..<whole] else { return false }
        guard bits % 8 > 0 else { return true }
        return (base[whole] ^ address[whole]) >> (8 - bits % 8) == 0
    }

    /// The 4 or 16 bytes of an address; `nil` for a name.
    private static func address(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        return inet_pton(AF_INET6, text, &six) == 1 ? withUnsafeBytes(of: six) { Array($0) } : nil
    }
}
