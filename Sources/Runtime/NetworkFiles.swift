import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol

/// The files for `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a container.
///
/// They are in the container's folder.
package struct NetworkFiles {
    let spec: LaunchSpec
    let hostname: String

    /// The folder of the files.
    static func folder(_ spec: LaunchSpec) -> String {
        if case .shared(_, _, let files, _) = spec.network { files } else { spec.socketDirectory }
    }

    /// The names of the files, and the paths at which they are mounted.
    package static let destinations: [(name: String, destination: String)] = [
        ("resolv.conf", "/etc/resolv.conf"), ("hostname", "/etc/hostname"), ("hosts", "/etc/hosts"),
    ]

    /// Writes the files for this start of the container.
    func write() throws(ShaleError) {
        // A container that shares another's network uses the files of the other.
        if case .shared = spec.network { return }
        try write("hostname", hostname + "\n")
        try write("hosts", hosts())
        try write("resolv.conf", resolver())
    }

    private func write(_ name: String, _ text: String) throws(ShaleError) {
        let path = "\(spec.socketDirectory)/\(name)"
        do throws(SystemCallError) {
            let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            try file.write(text.pathBytes)
            // All users of the container can read it, independent of this process's umask.
            fchmod(file.raw, 0o644)
        } catch {
            throw SystemCallError(error.call, path: path, errno: error.errno).shaleError("container \(name)")
        }
    }

    private static let standardHosts = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::0\tip6-localnet
        ff00::0\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """

    /// The text of `/etc/hosts`: with the host's network the host's file, if requested, otherwise docker's default
    /// lines; followed by the entries of the user.
    func hosts() -> String {
        var text = Self.standardHosts
        if spec.network == .host, spec.hasHostNames, let own = Self.hostFile("/etc/hosts") { text = own }
        if isPrivate {
            let full = spec.domainname.isEmpty ? "" : "\(hostname).\(spec.domainname)\t"
            text += "\(NetworkPlan.address)\t\(full)\(hostname)\n"
        }
        if !spec.host.extraHosts.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        for entry in spec.host.extraHosts {
            guard let separator = entry.firstIndex(where: { $0 == ":" || $0 == "=" }) else { continue }
            var address = String(entry[entry.index(after: separator)...])
            if address == "host-gateway" {
                // From a private network the host's loopback cannot be reached, so this is another address of the host.
                address = isPrivate ? HostPort.outboundAddress ?? NetworkPlan.gateway : "127.0.0.1"
            }
            if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
            text += "\(address)\t\(entry[..<separator])\n"
        }
        return text
    }

    private var isPrivate: Bool { if case .private = spec.network { true } else { false } }

    /// The text of `/etc/resolv.conf`: the host's file, without loopback servers that cannot be reached.
    ///
    /// Options of the user replace their parts.
    func resolver() -> String {
        let own = Self.hostFile("/etc/resolv.conf") ?? ""
        let overrides = !spec.host.dns.isEmpty || !spec.host.dnsSearch.isEmpty || !spec.host.dnsOptions.isEmpty
        if spec.network == .host, !overrides { return own }
        var lines: [String] = []
        for line in own.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            switch words.first {
            case "nameserver":
                let isLoopback = words.count > 1 && (words[1].hasPrefix("127.") || words[1] == "::1")
                if spec.host.dns.isEmpty, !isPrivate, spec.network == .host || !isLoopback { lines.append(line) }
            case "search", "domain": if spec.host.dnsSearch.isEmpty { lines.append(line) }
            case "options": if spec.host.dnsOptions.isEmpty { lines.append(line) }
            default: if !overrides { lines.append(line) }
            }
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        if !spec.host.dnsSearch.isEmpty, spec.host.dnsSearch != ["."] {
            lines.append("search " + spec.host.dnsSearch.joined(separator: " "))
        }
        lines += (isPrivate && spec.host.dns.isEmpty ? [NetworkPlan.nameServer] : spec.host.dns).map {
            "nameserver \($0)"
        }
        if !spec.host.dnsOptions.isEmpty { lines.append("options " + spec.host.dnsOptions.joined(separator: " ")) }
        let text = lines.joined(separator: "\n")
        return text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    }

    private static func hostFile(_ path: String) -> String? {
        (try? WholeFile.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }
}
