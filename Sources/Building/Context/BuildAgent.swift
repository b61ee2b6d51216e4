package import Basics
import Glibc
import Linux

/// A value of `--ssh`: an SSH agent that `RUN --mount=type=ssh` may use.
package struct BuildAgent: Sendable {
    package var id: String
    /// The path of the agent's socket.
    package var socket: String
    /// The agent that shale started, when keys were given and not a socket.
    private let keys: KeyAgent?

    /// Reads docker's `default|ID[=SOCKET|KEY[,KEY]]`.
    ///
    /// For keys an agent is started.
    ///
    /// Throws `usage`, `notFound` for a file that does not exist, `invalid` for a file that is no key or needs a
    /// passphrase,
    /// and `unavailable` when OpenSSH is not installed.
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
            let agent = try KeyAgent(paths, searchPath: environment["PATH"] ?? HostProgram.defaultSearchPath)
            socket = agent.socket
            keys = agent
        }
    }
}

/// An `ssh-agent` of OpenSSH with the keys of one build.
///
/// It ends with the last reference, or when shale ends.
private final class KeyAgent: Sendable {
    let socket: String
    private let service: HostService

    /// Prints the agent's socket, then ends the agent when standard input ends.
    ///
    /// Shale holds the other end of the pipe, so this also happens when shale is killed.
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

    /// Adds a key through standard input, because OpenSSH refuses a key file that other users can read.
    private func add(_ key: String, with adder: String) throws(ShaleError) {
        let outcome = try translating("failed to open \(key)") {
            let file = try OwnedFD.open(key, O_RDONLY)
            return try HostProgram.run(
                adder, ["-q", "-"], environment: ["SSH_AUTH_SOCK=\(socket)", "SSH_ASKPASS_REQUIRE=never"],
                input: file.raw)
        }
        if outcome.status == 0 { return }
        if PrivateKeyFile.isEncrypted((try? WholeFile.read(key, limit: PrivateKeyFile.largest)) ?? []) {
            throw ShaleError(
                .invalid, "failed to parse \(key): ssh: this private key is passphrase protected",
                hint: "eval $(ssh-agent); ssh-add \(key); build --ssh default .")
        }
        throw ShaleError(
            .invalid, "failed to parse \(key): ssh: no key found",
            cause: String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").last.map(String.init))
    }
}
