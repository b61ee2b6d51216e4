import FoundationEssentials
import Glibc

/// Debian's `dockerd` with a data folder of its own: no network, the vfs driver if not told otherwise, root only.
package final class DockerDaemon: Sendable {
    package static let program = Peer("dockerd")
    package static var isPossible: Bool {
        guard program.isPresent, Peers.docker.isPresent, geteuid() == 0 else { return false }
        // Root of a user namespace of our own is not enough.
        let map = (try? String(contentsOf: URL(filePath: "/proc/self/uid_map"), encoding: .utf8)) ?? ""
        return map.split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
    }
    package static let impossible = "needs dockerd, docker and root"

    /// A client old enough to speak to the BuildKit inside dockerd by itself: later ones leave that to a plug-in.
    package static let buildKitClient: Peer? = {
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        for folder in folders.split(separator: ":") {
            let client = Peer(path: "\(folder)/docker")
            // `Docker version 20.10.24+dfsg1, build …`
            let said = (try? client.run(["--version"]))?.text.split(separator: " ") ?? []
            if said.count > 2, let major = said[2].split(separator: ".").first.flatMap({ Int($0) }), major < 23 {
                return client
            }
        }
        return nil
    }()
    package static let noBuildKitClient = "no docker client that needs no plug-in for BuildKit"

    private let folder = TemporaryDirectory()
    private let child: Child

    /// Starts it and waits until it answers.
    ///
    /// `overlay2` is a good deal quicker than `vfs`, and not there on every file system.
    package init(storage driver: String = "vfs", options more: [String] = []) throws {
        guard let path = Self.program.path else { throw PeerError(text: Self.impossible) }
        let options =
            [
                "--data-root", folder.path + "/root", "--exec-root", folder.path + "/exec", "--pidfile",
                folder.path + "/pid", "--host", "unix://\(folder.path)/socket", "--iptables=false", "--ip6tables=false",
                "--config-file", HostNeutral.home + "/etc/daemon.json", "--bridge=none", "--storage-driver=\(driver)",
                "--log-level=error",
            ] + more
        child = try Child(path, options, output: folder.path + "/out", errors: folder.path + "/log")
        for _ in 0..<300 {
            if try docker(["version"], expecting: nil).status == 0 { return }
            guard child.isRunning else { break }
            usleep(100_000)
        }
        throw PeerError(text: "dockerd does not start")
    }

    deinit {
        child.stop(SIGTERM)
        // It leaves the namespace's file mounted.
        umount2(folder.path + "/exec/netns/default", Int32(MNT_DETACH))
    }

    /// Runs docker's client against it.
    @discardableResult
    package func docker(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:],
        client: Peer = Peers.docker, expecting status: Int32? = 0
    ) throws -> Peer.Outcome {
        try client.run(
            ["--host", "unix://\(folder.path)/socket"] + arguments, input: input, environment: environment,
            in: folder.path, expecting: status)
    }
}
