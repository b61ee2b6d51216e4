package import Basics
import CCurl

/// An `http` or `https` address, taken apart by the same parser that connects (`curl_url(3)`).
package struct WebURL: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// Lower case, an IPv6 address in brackets.
    package let host: String
    package let port: Int
    /// The whole address without user name, password and fragment.
    package let description: String

    /// Parses an absolute address; throws `invalid` for other schemes, none, or one with credentials in it.
    package init(_ text: String) throws(ShaleError) {
        try self.init(text: text, relative: nil)
    }

    /// The address that `location` means where this one is the base (RFC 3986, section 5).
    ///
    /// Throws `invalid` when the result is no http or https address.
    package func resolving(_ location: String) throws(ShaleError) -> WebURL {
        try WebURL(text: description, relative: location)
    }

    /// `host:port`, the port left out where the scheme implies it.
    package var authority: String { port == Self.standardPort(scheme) ? host : "\(host):\(port)" }
    /// `scheme://host[:port]`.
    package var origin: String { "\(scheme)://\(authority)" }
    package var isPlain: Bool { scheme == "http" }

    /// Whether the host can only be this machine.
    package var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether a host name, without port, can only be this machine.
    package static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private init(text: String, relative: String?) throws(ShaleError) {
        try CurlLibrary.load()
        let said = (relative ?? text).visible
        guard !text.contains("\0"), relative?.contains("\0") != true, let url = shale_curl_url_new(text, relative)
        else { throw ShaleError(.invalid, "\"\(said)\" is not an address") }
        defer { shale_curl_url_free(url) }
        let part = { (part: CURLUPart) -> String? in
            guard let text = shale_curl_url_part(url, part) else { return nil }
            defer { shale_curl_text_free(text) }
            return String(cString: text)
        }
        guard let scheme = part(CURLUPART_SCHEME)?.lowercased(), scheme == "http" || scheme == "https" else {
            throw ShaleError(.invalid, "\"\(said)\" is neither an http nor an https address")
        }
        guard let host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
            let port = part(CURLUPART_PORT).flatMap({ Int($0) }), (1...65_535).contains(port)
        else { throw ShaleError(.invalid, "\"\(said)\" names no host") }
        guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else {
            throw ShaleError(.invalid, "an address of \(host.visible) with a user name or password in it is refused")
        }
        self.scheme = scheme
        self.host = host
        self.port = port
        let authority = port == Self.standardPort(scheme) ? host : "\(host):\(port)"
        let query = part(CURLUPART_QUERY).map { "?\($0)" } ?? ""
        description = "\(scheme)://\(authority)\(part(CURLUPART_PATH) ?? "/")\(query)"
    }

    /// The address as a log may have it: of a query only what names repositories, tags and digests.
    ///
    /// Signed addresses and the state of an upload give the same access as credentials.
    package var loggable: String {
        guard let mark = description.firstIndex(of: "?") else { return description }
        let query = description[description.index(after: mark)...].split(separator: "&").map { part -> String in
            let name = part.prefix { $0 != "=" }
            return Self.harmless.contains(String(name)) || !part.contains("=")
                ? String(part) : "\(name)=\(Secrets.mask)"
        }
        return "\(description[..<mark])?\(query.joined(separator: "&"))"
    }

    private static let harmless: Set<String> = [
        "n", "last", "scope", "service", "digest", "mount", "from", "page", "page_size", "q", "query", "artifactType",
    ]

    private static func standardPort(_ scheme: String) -> Int { scheme == "http" ? 80 : 443 }

    /// One value of a query or one segment of a path, escaped (RFC 3986, section 2.3); `keeping` is left as it is.
    package static func escape(_ text: some StringProtocol, keeping: String = "") -> String {
        let kept = Array(keeping.utf8)
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte.isUnreserved || kept.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
