import FoundationEssentials
import Glibc
import Synchronization

/// Debian's `docker-registry` on a free port of loopback, with a configuration and data of its own.
package final class RegistryServer: Sendable {
    package enum Access: Sendable {
        case open
        /// User `tester`, password `sesame`, by htpasswd.
        case basic
        /// Tokens of a server at `realm`, signed by the key of `certificate` (a PEM file).
        case token(realm: String, service: String, issuer: String, certificate: String)
    }

    package static let program = Peer("docker-registry")
    package static var isPresent: Bool { program.isPresent }
    package static let absent = "docker-registry is not installed (apt-get install docker-registry)"
    package static let user = "tester"
    package static let password = "sesame"
    /// bcrypt of `sesame`: the only kind docker-registry takes.
    private static let passwordHash = "$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O"

    package let port: UInt16
    /// Its data, configuration and log; removed with it.
    package let folder = TemporaryDirectory()
    private let child: Mutex<Child>
    private let isTLS: Bool

    /// Starts it and waits until it listens; `tls` names a certificate and its key, PEM files, and `clientAuthority`
    /// whose certificates clients must have.
    package init(
        _ access: Access = .open, tls: (certificate: String, key: String)? = nil, clientAuthority: String? = nil,
        mirrorOf upstream: String? = nil
    ) throws {
        guard let path = Self.program.path else { throw PeerError(text: Self.absent) }
        isTLS = tls != nil
        port = try LoopbackPort.free()
        var lines = [
            "version: 0.1", "log: {level: warn}", "storage:",
            "  filesystem: {rootdirectory: \(folder.path)/data}", "  delete: {enabled: true}",
        ]
        // With a secret of its own an upload that was begun goes on after a restart.
        lines += ["http:", "  addr: 127.0.0.1:\(port)", "  secret: of-the-tests"]
        if let tls {
            let clients = clientAuthority.map { ", clientcas: [\($0)]" } ?? ""
            lines += ["  tls: {certificate: \(tls.certificate), key: \(tls.key)\(clients)}"]
        }
        switch access {
        case .open: break
        case .basic:
            try Data("\(Self.user):\(Self.passwordHash)\n".utf8).write(to: URL(filePath: folder.path + "/htpasswd"))
            lines += ["auth:", "  htpasswd: {realm: test, path: \(folder.path)/htpasswd}"]
        case .token(let realm, let service, let issuer, let certificate):
            lines += [
                "auth:", "  token:", "    realm: \(realm)", "    service: \(service)", "    issuer: \(issuer)",
                "    rootcertbundle: \(certificate)",
            ]
        }
        if let upstream { lines += ["proxy: {remoteurl: \(upstream)}"] }
        let configuration = folder.path + "/config.yml"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: configuration))
        child = Mutex(try Self.start(path, in: folder.path))
        try waitUntilReady()
    }

    deinit { stop() }

    private static func start(_ path: String, in folder: String) throws -> Child {
        try Child(
            path, ["serve", folder + "/config.yml"], environment: ["OTEL_TRACES_EXPORTER": "none"],
            output: folder + "/out", errors: folder + "/log")
    }

    /// Starts it again, with the data that it had.
    package func restart() throws {
        guard let path = Self.program.path else { throw PeerError(text: Self.absent) }
        stop()
        let again = try Self.start(path, in: folder.path)
        child.withLock { $0 = again }
        try waitUntilReady()
    }

    /// Where it listens, as `127.0.0.1:PORT`.
    package var host: String { "127.0.0.1:\(port)" }
    package var url: String { "\(isTLS ? "https" : "http")://\(host)" }
    /// What it has written about itself.
    package var log: String {
        (try? Data(contentsOf: URL(filePath: folder.path + "/log"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Kills it as it stands.
    package func stop() { child.withLock { $0.stop() } }

    /// Copies an image into it with skopeo; `source` as skopeo names it, `name` like `library/ubuntu:22.04`.
    package func fill(_ source: String, as name: String, options: [String] = []) throws {
        try Peers.skopeo.run(
            ["copy", "--quiet", "--dest-tls-verify=false"] + options + [source, "docker://\(host)/\(name)"])
    }

    private func waitUntilReady() throws {
        for _ in 0..<500 {
            if LoopbackPort.answers(port) { return }
            guard child.withLock({ $0.isRunning }) else { break }
            usleep(20_000)
        }
        throw PeerError(text: "docker-registry does not start: \(log)")
    }
}
