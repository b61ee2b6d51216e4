import Basics
import FoundationEssentials
import Glibc

/// What a host's own folder of certificates holds, as docker and podman have it: `*.crt` are authorities that are
/// trusted beside the system's, `*.cert` with `*.key` is the client's own (docker, `registry/registry.go`;
/// containers-certs.d(5)).
struct HostCertificates: Sendable, Equatable {
    /// PEM texts of the authorities, one after the other; empty for the system's alone.
    var authorities: [UInt8] = []
    /// Paths of the client's certificate and key.
    var client: (certificate: String, key: String)?

    static func == (left: HostCertificates, right: HostCertificates) -> Bool {
        left.authorities == right.authorities && left.client?.certificate == right.client?.certificate
            && left.client?.key == right.client?.key
    }

    /// Reads the first of the folders that has one for the host, by its name with the port or, for https' own port,
    /// without.
    ///
    /// Throws docker's words for a certificate without its key or a key without its certificate, and `denied` for a
    /// file that cannot be read.
    init(of url: WebURL, in folders: [String]) throws(ShaleError) {
        let hosts = url.port == 443 ? [url.host, "\(url.host):443"] : [url.authority]
        for folder in folders.flatMap({ folder in hosts.map { "\(folder)/\($0)" } }) where !folder.isEmpty {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { continue }
            try read(names.sorted(), in: folder)
            return
        }
    }

    private mutating func read(_ names: [String], in folder: String) throws(ShaleError) {
        for name in names where name.hasSuffix(".crt") {
            authorities += try Self.contents(of: "\(folder)/\(name)") + [UInt8(ascii: "\n")]
        }
        for name in names where name.hasSuffix(".cert") {
            let key = name.dropLast(5) + ".key"
            guard names.contains(String(key)) else {
                throw ShaleError(
                    .invalid,
                    "missing key \(key) for client certificate \(name). "
                        + "CA certificates must use the extension .crt", hint: "ls \(folder.visible)")
            }
            guard client == nil else { continue }
            let pair = (certificate: "\(folder)/\(name)", key: "\(folder)/\(key)")
            for path in [pair.certificate, pair.key] { _ = try Self.contents(of: path) }
            client = pair
        }
        for name in names where name.hasSuffix(".key") {
            let certificate = String(name.dropLast(4) + ".cert")
            guard names.contains(certificate) else {
                throw ShaleError(.invalid, "missing client certificate \(certificate) for key \(name)")
            }
        }
    }

    private static func contents(of path: String) throws(ShaleError) -> [UInt8] {
        guard access(path, R_OK) == 0, let data = try? Data(contentsOf: URL(filePath: path)), data.count < 4 << 20
        else { throw ShaleError(.denied, "certificate \(path.visible): cannot be read") }
        return Array(data)
    }
}
