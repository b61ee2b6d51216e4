package import Basics
import Glibc
import Linux

/// An `--ssh`: an agent that a `RUN --mount=type=ssh` may ask.
package struct BuildAgent: Sendable {
    package var id: String
    /// The agent's socket.
    package var socket: String
    /// The agent of our own that holds the keys given instead of a socket.
    private let keys: KeyAgent?

    /// Reads docker's `default|ID[=SOCKET|KEY[,KEY]]`; for keys, an agent of our own is started.
    ///
    /// Throws `usage`, or docker's words for a file that is none or no key.
    package init(parsing text: String, environment: [String: String]) throws(ShaleError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        id = parts.first.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        guard parts.count == 2 else {
            guard let socket = environment["SSH_AUTH_SOCK"], !socket.isEmpty else {
                throw ShaleError(
                    .usage, "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
                    hint: "eval $(ssh-agent); ssh-add")
            }
            self.socket = socket
            keys = nil
            return
        }
        let paths = parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        var sockets: [String] = []
        for path in paths {
            guard let status = try? FileStatus.of(hostPath: path, followingLink: true) else {
                throw ShaleError(.notFound, "stat \(path)", cause: SystemCallError.words(of: ENOENT))
            }
            if status.kind == .socket { sockets.append(path) }
        }
        if let socket = sockets.first {
            if sockets.count > 1 { throw ShaleError(.usage, "only single socket allowed") }
            if paths.count > 1 { throw ShaleError(.usage, "invalid combination of keys and sockets") }
            self.socket = socket
            keys = nil
        } else {
            let agent = try KeyAgent(paths, searchPath: environment["PATH"] ?? "/usr/bin:/bin")
            socket = agent.socket
            keys = agent
        }
    }
}

/// OpenSSH's agent with the keys of one build; it ends with the last reference, and with shale, however that ends.
private final class KeyAgent: Sendable {
    let socket: String
    private let service: HostService

    /// Tells the socket, and ends the agent when its input ends: shale holds the other end, or is no more.
    private static let script = "echo \"$SSH_AUTH_SOCK\"; exec >&- 2>&-; read -r _; kill \"$SSH_AGENT_PID\""

    init(_ keys: [String], searchPath: String) throws(ShaleError) {
        guard let agent = HostProgram.find("ssh-agent", searchPath: searchPath),
            let adder = HostProgram.find("ssh-add", searchPath: searchPath)
        else {
            throw ShaleError(
                .unavailable, "--ssh with a key needs ssh-agent and ssh-add, which are not installed",
                hint: "apt-get install openssh-client")
        }
        service = try translating("ssh-agent") {
            try HostService(agent, ["/bin/sh", "-c", Self.script], environment: ["PATH=\(searchPath)"])
        }
        socket = service.readLine()
        guard !socket.isEmpty else { throw ShaleError(.unavailable, "ssh-agent could not be started") }
        for key in keys { try add(key, with: adder) }
    }

    /// The key comes on standard input, where OpenSSH does not ask who else may read its file.
    private func add(_ key: String, with adder: String) throws(ShaleError) {
        let outcome = try translating("failed to open \(key)") {
            let file = try OwnedFD.open(key, O_RDONLY)
            return try HostProgram.run(
                adder, ["-q", "-"], environment: ["SSH_AUTH_SOCK=\(socket)", "SSH_ASKPASS_REQUIRE=never"],
                input: file.raw)
        }
        if outcome.status == 0 { return }
        let words = String(decoding: outcome.output, as: UTF8.self)
        if words.contains("passphrase") {
            throw ShaleError(
                .invalid, "failed to parse \(key): ssh: this private key is passphrase protected",
                hint: "eval $(ssh-agent); ssh-add \(key); build --ssh default .")
        }
        throw ShaleError(
            .invalid, "failed to parse \(key): ssh: no key found",
            cause: words.split(separator: "\n").last.map(String.init))
    }
}
