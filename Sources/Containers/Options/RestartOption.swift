import Basics
import Linux
import OCI
import RunnerProtocol
import Runtime
import Stores

/// `--restart no|always|unless-stopped|on-failure[:N]`.
struct RestartOption: Sendable, Hashable {
    let name: String
    /// The maximum number of restarts; 0 for no limit.
    let limit: Int

    init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let invalid = { (why: String) in ShaleError(.usage, "invalid restart policy format: \(why)", exitStatus: 125) }
        if text.isEmpty {
            (name, limit) = ("no", 0)
            return
        }
        guard !parts[0].isEmpty else { throw invalid("no policy provided before colon") }
        guard let number = parts.count > 1 ? Int(parts[1]) : 0 else {
            throw invalid("maximum retry count must be an integer")
        }
        switch parts[0] {
        case "on-failure":
            guard number >= 0, number <= Int32.max else {
                throw ShaleError(.invalid, "maximum retry count cannot be negative")
            }
        case "no", "always", "unless-stopped":
            guard number == 0 else {
                throw ShaleError(.invalid, "maximum retry count cannot be used with restart policy '\(parts[0])'")
            }
        default: throw ShaleError(.invalid, "invalid restart policy '\(parts[0])'")
        }
        (name, limit) = (parts[0], number)
    }

    func write(to host: inout HostConfig) {
        host.restartPolicy = name
        host.restartLimit = limit == 0 ? nil : limit
    }

    /// A note about the part of the policy that a runner cannot carry out: it does not survive a restart of the host.
    var note: String? {
        guard name == "always" || name == "unless-stopped" else { return nil }
        return "note: --restart \(name) holds until the host is shut down: there is no daemon to start it at boot"
    }
}

extension ContainerRecord {
    /// The policy for the runner; `nil` for none.
    var restartPlan: RestartPlan? {
        guard let name = host.restartPolicy, name != "no" else { return nil }
        return RestartPlan(
            always: name != "on-failure", limit: Int32(clamping: host.restartLimit ?? 0),
            stopSignal: config.stopSignal.flatMap(Signals.number) ?? 15)
    }
}
