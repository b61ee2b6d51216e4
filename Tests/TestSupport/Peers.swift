import FoundationEssentials
import Glibc

/// A program of someone else's that tests run shale against.
package struct Peer: Sendable {
    package let name: String
    /// Where it is, or `nil` where it is absent.
    package let path: String?
    private let leading: [String]

    package init(_ name: String, leading: [String] = []) {
        self.name = name
        self.leading = leading
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        path = folders.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// A program of ours, by its place.
    init(path: String?) {
        name = path?.split(separator: "/").last.map(String.init) ?? "program"
        self.path = path
        leading = []
    }

    package var isPresent: Bool { path != nil }
    /// The reason for skipping.
    package var absent: String { "\(name) is not installed" }

    package struct Outcome: Sendable, CustomStringConvertible {
        package var status: Int32
        package var output: [UInt8]
        package var errors: String
        /// The output as text.
        package var text: String { String(decoding: output, as: UTF8.self) }
        /// The output's lines, without the empty ones.
        package var lines: [String] { text.split(separator: "\n").map(String.init) }
        package var description: String { "status \(status)\nstdout: \(text)\nstderr: \(errors)" }
    }

    /// Runs it to its end; output goes through files, so that no pipe can fill up.
    @discardableResult
    package func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:], in folder: String? = nil,
        expecting status: Int32? = 0
    ) throws -> Outcome {
        guard let path else { throw PeerError(text: absent) }
        if let problem = PeerTrial.problem(of: self) { throw PeerError(text: problem) }
        return try start(path, arguments, input, environment, folder, status)
    }

    /// The same for a peer that is only just tried.
    fileprivate func start(
        _ path: String, _ arguments: [String], _ input: [UInt8], _ environment: [String: String], _ folder: String?,
        _ status: Int32?
    ) throws -> Outcome {
        let scratch = TemporaryDirectory()
        try Data(input).write(to: URL(filePath: scratch.path + "/in"))
        let child = try Child(
            path, leading + arguments, environment: environment, in: folder, input: scratch.path + "/in",
            output: scratch.path + "/out", errors: scratch.path + "/err")
        let outcome = Outcome(
            status: child.wait(), output: Array(try Data(contentsOf: URL(filePath: scratch.path + "/out"))),
            errors: String(decoding: try Data(contentsOf: URL(filePath: scratch.path + "/err")), as: UTF8.self))
        if let status, outcome.status != status {
            throw PeerError(
                text: "\(name) \(arguments.joined(separator: " ")): status \(outcome.status): \(outcome.errors)")
        }
        return outcome
    }
}

/// The peers by name.
package enum Peers {
    /// Copies images between registries, layouts and archives; needs no policy file here.
    package static let skopeo = Peer(
        "skopeo",
        leading: ["--insecure-policy", "--registries.d", "\(HostNeutral.home)/etc/registries.d"])
    package static let umoci = Peer("umoci")
    package static let podman = Peer("podman")
    package static let docker = Peer("docker")
    package static let openssl = Peer("openssl")
    package static let tar = Peer("tar")

    /// The SHA-256 of bytes by coreutils' reckoning, 64 hex digits.
    package static func sha256(_ bytes: [UInt8]) throws -> String {
        String(try Peer("sha256sum").run([], input: bytes).text.prefix(64))
    }
}

/// Whether a peer does its simplest work here at all; tried once, before the first test that needs it.
///
/// A peer that the machine keeps from working fails each of its tests with one line that says so, and not with whatever
/// that test would have made of it.
enum PeerTrial {
    private static let problems: [String: String?] = [
        "skopeo": problem(of: Peers.skopeo) { folder in
            try SmallImage.writeDockerArchive(folder + "/a.tar", layers: [[.init("a", "a")]])
            return [["copy", "--quiet", "docker-archive:\(folder)/a.tar", "dir:\(folder)/copy"]]
        },
        "umoci": problem(of: Peers.umoci) { [["init", "--layout", $0 + "/layout"]] },
        "docker": problem(of: Peers.docker) { _ in [["--version"]] },
        "openssl": problem(of: Peers.openssl) { _ in [["version"]] },
    ]

    /// The trials use other programs themselves, so those are not looked up.
    private static let tried: Set<String> = ["skopeo", "umoci", "docker", "openssl"]

    static func problem(of peer: Peer) -> String? {
        guard tried.contains(peer.name) else { return nil }
        return problems[peer.name] ?? nil
    }

    private static func problem(of peer: Peer, _ commands: (String) throws -> [[String]]) -> String? {
        guard let path = peer.path else { return nil }
        let folder = TemporaryDirectory()
        do {
            for arguments in try commands(folder.path) {
                let outcome = try peer.start(path, arguments, [], [:], folder.path, nil)
                let line = outcome.errors.split(separator: "\n").last ?? "no word why"
                guard outcome.status == 0 else {
                    return "\(peer.name) itself does not work here: \(arguments[0]): status \(outcome.status): \(line)"
                }
            }
            return nil
        } catch {
            return "\(peer.name) itself does not work here: \(error)"
        }
    }
}

package struct PeerError: Error, CustomStringConvertible {
    package var text: String
    package var description: String { text }

    package init(text: String) { self.text = text }
}

/// A process that was started; killed when let go of.
package final class Child: @unchecked Sendable {
    package let pid: Int32
    // Guarded by `lock`; waitpid may be asked from any thread.
    private var status: Int32?
    private let lock = Exclusion()

    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil,
        input: String = "/dev/null", output: String, errors: String
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        // A test's thread may block signals, which a child would inherit: it starts with none blocked.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        posix_spawnattr_setsigmask(&attributes, &unblocked)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var variables = HostNeutral.environment()
        variables.merge(environment) { $1 }
        // coreutils' env changes the folder: Glibc's module does not show the call that would.
        let program = folder == nil ? path : "/usr/bin/env"
        let leading = folder.map { ["env", "-C", $0, path] } ?? [path]
        var argv: [UnsafeMutablePointer<CChar>?] = (leading + arguments).map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw PeerError(text: "\(path): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    /// Waits for its end; the exit status, or 128 and the signal's number.
    package func wait() -> Int32 {
        lock.locked {
            if let status { return status }
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            let result = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
            status = result
            return result
        }
    }

    /// Whether it has not ended.
    package var isRunning: Bool {
        lock.locked {
            guard status == nil else { return false }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return true }
            status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
            return false
        }
    }

    package func stop(_ signal: Int32 = SIGKILL) {
        if isRunning { kill(pid, signal) }
        _ = wait()
    }

    deinit { stop() }
}

/// A mutual exclusion that needs no Foundation.
private final class Exclusion: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    init() { pthread_mutex_init(mutex, nil) }
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }
    func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
