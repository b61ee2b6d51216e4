package import Basics
import Glibc
package import Linux
import RunnerProtocol

/// The host's program that gives a container a network of its own without a daemon or any right: `slirp4netns`.
package enum NetworkProgram {
    package static let name = "slirp4netns"
    private static let device = "/dev/net/tun"

    /// Where it is, looked for along `PATH` and in the usual folders; `nil` when it is not installed.
    package static var path: String? {
        let own = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return own.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Throws `unavailable`, with the command that mends it, when no container can have a network of its own here.
    ///
    /// `reason` is what asked for one: `--network private`, `-p 8080:80`.
    @discardableResult
    package static func require(for reason: String) throws(ShaleError) -> String {
        guard let path else {
            throw ShaleError(
                .unavailable, "\(reason) needs the program \(name), which is not installed",
                hint: "apt-get install \(name)")
        }
        if let problem = deviceProblem {
            throw ShaleError(.unavailable, "\(reason) needs \(device)", cause: problem.words, hint: problem.command)
        }
        return path
    }

    private static var deviceProblem: (words: String, command: String)? {
        if access(device, R_OK | W_OK) == 0 { return nil }
        let error = errno
        let command =
            switch error {
            case ENOENT: "modprobe tun"
            default: "chmod 0666 \(device)"
            }
        return (SystemCallError.words(of: error), command)
    }

    static var finding: HostFinding {
        let subject = "private networks"
        guard let path else {
            return HostFinding(
                subject, .limited, "\(name) is not installed: no --network private, no -p",
                advice: "apt-get install \(name)")
        }
        guard let problem = deviceProblem else { return HostFinding(subject, .good, path) }
        return HostFinding(subject, .limited, "\(device): \(problem.words)", advice: "as root: \(problem.command)")
    }
}
