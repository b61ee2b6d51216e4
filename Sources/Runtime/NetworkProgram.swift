package import Basics
import Glibc
import Linux
import RunnerProtocol

/// `slirp4netns`, the host's program that provides a private network for a container without a daemon and without
/// privileges.
package enum NetworkProgram {
    package static let name = "slirp4netns"
    private static let device = "/dev/net/tun"

    /// The path of the program, from `PATH` or the usual folders; `nil` when it is not installed.
    package static var path: String? {
        let own = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return own.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Throws `unavailable`, with the command that helps as a hint, when this host cannot provide private networks.
    ///
    /// `reason` is the option that needs one, such as `--network private` or `-p 8080:80`.
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
        access(device, R_OK | W_OK) == 0 ? nil : problem(errno)
    }

    private static func problem(_ error: Int32) -> (words: String, command: String) {
        (SystemCallError.words(of: error), error == ENOENT ? "modprobe tun" : "chmod 0666 \(device)")
    }

    static var finding: HostFinding {
        finding(program: path, device: access(device, R_OK | W_OK) == 0 ? 0 : errno)
    }

    /// The finding about the program's path, and about the errno of opening the device.
    static func finding(program: String?, device error: Int32) -> HostFinding {
        let subject = "private networks"
        var reasons: [String] = []
        var commands: [String] = []
        if program == nil {
            reasons.append("\(name) is not installed")
            commands.append("apt-get install \(name)")
        }
        if error != 0 {
            let problem = problem(error)
            reasons.append("\(device): \(problem.words)")
            commands.append(problem.command)
        }
        guard reasons.isEmpty else {
            return HostFinding(
                subject, .limited, reasons.joined(separator: "; ") + ": no --network private, no -p",
                advice: "as root: " + commands.joined(separator: " && "))
        }
        return HostFinding(subject, .good, program ?? name)
    }
}
