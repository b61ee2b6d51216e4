package import Basics
import Glibc

/// How registries are reached: everything that a user can set about it.
package struct RegistryConfiguration: Sendable {
    /// A registry's domain (`docker.io`) → the address that is asked before it (`http://127.0.0.1:5000`).
    package var mirrors: [String: String] = [:]
    /// Hosts (with their port, if any) whose certificates are not checked and that may speak plain http.
    package var insecure: Set<String> = []
    package var credentials: CredentialStore
    /// Called once for each credential file that cannot be read and each helper program that fails.
    package var warn: @Sendable (String) -> Void = { _ in }
    /// Whether no server is asked, except those of this machine when ``asksThisMachineOffline`` is true.
    package var offline = false
    /// Whether this machine's own servers, mirrors among them, are asked when offline.
    package var asksThisMachineOffline = true

    /// Whether a server may be asked.
    func mayAsk(isLoopback: Bool) -> Bool { !offline || (isLoopback && asksThisMachineOffline) }
    /// Where Docker Hub's v1 search API is asked instead of `https://index.docker.io`.
    package var searchEndpoint: String?
    /// What the user agent says: `shale/<version>`.
    package var version = "1"
    /// Where hosts' own certificates lie, `<folder>/<host:port>/*.crt`: those of this user, docker's and podman's; the
    /// first that has one for a host counts.
    package var certificateFolders = ["/etc/docker/certs.d", "/etc/containers/certs.d"]
    /// How long connecting may take, in seconds.
    package var connectTimeout = 10.0
    /// After this many seconds without a byte a transfer is ended (and tried again).
    package var stallTimeout = 30.0
    package var retries = RetryPolicy()

    /// A configuration with the files and mirrors that the environment names.
    package init(credentials: CredentialStore = CredentialStore()) {
        self.credentials = credentials
    }

    /// Reads `HOST=URL`, several separated by commas or spaces.
    ///
    /// Throws `invalid` when a part is not `HOST=URL`.
    package static func mirrors(parsing text: String) throws(ShaleError) -> [String: String] {
        var mirrors: [String: String] = [:]
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " || $0 == "\n" || $0 == "\t" }) {
            guard let equals = part.firstIndex(of: "="), isHost(String(part[..<equals])) else {
                throw ShaleError(
                    .invalid, "mirror \"\(String(part).visible)\": not HOST=URL",
                    hint: "for example docker.io=http://127.0.0.1:5000")
            }
            let address = String(part[part.index(after: equals)...])
            mirrors[domain(String(part[..<equals]))] = try mirrorAddress(address)
        }
        return mirrors
    }

    /// Whether a text is a registry's host, its port behind it or not.
    package static func isHost(_ text: String) -> Bool {
        var name = text[...]
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            guard let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return false }
            name = text[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            return name.dropFirst().dropLast().utf8.allSatisfy { isHexDigit($0) || $0 == UInt8(ascii: ":") }
                && name.contains(":")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last else { return false }
            let isWord = { (byte: UInt8) in isLetterOrDigit(byte) || byte == UInt8(ascii: "_") }
            return isWord(first) && isWord(last) && label.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    /// Checks one mirror's address and gives it without a slash at its end.
    ///
    /// Throws `invalid` when the text is no http or https address, or has a query.
    package static func mirrorAddress(_ text: String) throws(ShaleError) -> String {
        let hasScheme = text.contains("://")
        let host = text.prefix { $0 != ":" && $0 != "/" }
        let scheme = WebURL.isLoopback(String(host)) ? "http://" : "https://"
        let url = try WebURL(hasScheme ? text : scheme + text)
        var address = url.description
        guard !address.contains("?") else { throw ShaleError(.invalid, "mirror \"\(text.visible)\": has a query") }
        while address.hasSuffix("/") { address.removeLast() }
        return address
    }

    /// The one name of a registry that has several.
    package static func domain(_ text: String) -> String {
        switch text {
        case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com": "docker.io"
        default: text
        }
    }
}

/// How often and with what waits a failed transfer is tried again.
package struct RetryPolicy: Sendable {
    /// How many attempts in a row may bring less than 1 MiB of a blob each.
    package var attempts = 5
    /// Seconds before the second attempt; twice that before the third, and so on.
    package var unit = 5.0

    package init() {}
}

/// A transfer that is about to be tried again; sent once a second while it waits.
package struct RetryNotice: Sendable {
    /// Whole seconds left, at least 1.
    package var seconds: Int
    /// The attempt that comes next: 2 and up.
    package var attempt: Int
    package var reason: ShaleError

    /// Docker's line: `Retrying in 5 seconds`.
    package var line: String { "Retrying in \(seconds) second\(seconds == 1 ? "" : "s")" }
}

extension Cancellation {
    /// Sleeps that long unless cancelled; `tick` is called with the whole seconds left, each once.
    func pause(seconds: Double, tick: (Int) -> Void = { _ in }) throws(ShaleError) {
        let start = Exchange.now()
        let length = min(max(seconds, 0), 86_400)
        var said = -1
        while true {
            try check()
            let left = length - Double(Exchange.now() &- start) / 1e9
            guard left > 0 else { return }
            let whole = Int(left.rounded(.up))
            if whole != said {
                said = whole
                tick(whole)
            }
            var time = timespec(tv_sec: 0, tv_nsec: Int(min(left, 0.05) * 1e9))
            nanosleep(&time, nil)
        }
    }
}
