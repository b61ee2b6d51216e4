import Basics
import FoundationEssentials
import Glibc

/// A `docker-credential-<name>` program: JSON on its input, JSON on its output, the verb as its one argument.
struct CredentialHelper {
    private struct Answer: Codable {
        var serverURL: String
        var username: String
        var secret: String

        enum CodingKeys: String, CodingKey {
            case serverURL = "ServerURL"
            case username = "Username"
            case secret = "Secret"
        }
    }

    private let program: String
    private static let notFound = "credentials not found in native keychain"
    private static let largest = 1 << 20

    private let environment: [String: String]

    /// Looked for in the environment's `PATH` when it is used, and started with that environment.
    init(_ name: String, environment: [String: String]) {
        program = "docker-credential-\(name)"
        self.environment = environment
    }

    /// The credentials that it has for a server; `nil` when it says that it has none.
    func get(_ server: String) throws(ShaleError) -> Credentials? {
        let (status, output) = try run("get", input: Array(server.utf8))
        if status != 0 {
            let words = String(decoding: output, as: UTF8.self).trimmingBlanks
            if words.hasPrefix(Self.notFound) { return nil }
            throw failure("get", words)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
            throw failure("get", "its answer is not valid JSON")
        }
        if answer.username.isEmpty && answer.secret.isEmpty { return nil }
        return Credentials(
            username: answer.username, password: answer.secret, isIdentityToken: answer.username == "<token>")
    }

    func store(_ credentials: Credentials, server: String) throws(ShaleError) {
        let answer = Answer(
            serverURL: server, username: credentials.isIdentityToken ? "<token>" : credentials.username,
            secret: credentials.password)
        guard let input = try? JSONEncoder().encode(answer) else { throw failure("store", "cannot be encoded") }
        let (status, output) = try run("store", input: Array(input))
        guard status == 0 else { throw failure("store", String(decoding: output, as: UTF8.self).trimmingBlanks) }
    }

    func erase(_ server: String) throws(ShaleError) {
        let (status, output) = try run("erase", input: Array(server.utf8))
        guard status == 0 else { throw failure("erase", String(decoding: output, as: UTF8.self).trimmingBlanks) }
    }

    private func failure(_ verb: String, _ words: String) -> ShaleError {
        let line = words.split(separator: "\n").first.map(String.init) ?? "it failed without a word"
        return ShaleError(.unavailable, "credential helper \(program.visible) \(verb)", cause: line.visible)
    }

    /// Runs the program; secrets go through sockets only, which no other process inherits.
    private func run(_ verb: String, input: [UInt8]) throws(ShaleError) -> (status: Int32, output: [UInt8]) {
        guard let path = path() else { throw failure(verb, "executable file not found in $PATH") }
        var sockets: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &sockets) == 0
        else { throw failure(verb, "no socket") }
        let (ours, theirs) = (sockets[0], sockets[1])
        defer { close(ours) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, theirs, 0)
        posix_spawn_file_actions_adddup2(&actions, theirs, 1)
        var child: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(verb), nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        let code = CallersUmask.restored { posix_spawn(&child, path, &actions, nil, &arguments, &variables) }
        close(theirs)
        guard code == 0 else {
            throw failure(verb, strerror(code).map { String(cString: $0).lowercased() } ?? "cannot be started")
        }
        send(input, to: ours)
        shutdown(ours, Int32(SHUT_WR))
        let output = receive(from: ours)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return (status, output)
    }

    private func path() -> String? {
        guard !program.contains("/"), !program.contains("\0") else { return nil }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private func send(_ bytes: [UInt8], to socket: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    private func receive(from socket: Int32) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while output.count < Self.largest {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += buffer.prefix(count)
        }
        return output
    }
}
