import Basics
import Glibc
import Linux
import RunnerProtocol

/// What `state.json` says of a container.
struct ContainerState {
    var status: String
    var pid: Int32 = 0
    /// Tells the process from a later one of the same number.
    var pidStart = ""
    var startedAt: Timestamp?
    var finishedAt: Timestamp?
    var exitCode: Int32 = 0
    var error = ""
    var outOfMemory = false
    /// How often its program was started again by itself.
    var restarts: Int32 = 0
    var ports: [PortBinding] = []
    /// Its health as JSON, empty without a check.
    var health = ""

    static func failed(_ failure: StepFailure) -> ContainerState {
        let reason = failure.errno == 0 ? "" : ": \(SystemCallError.words(of: failure.errno))"
        let words = failure.words.isEmpty ? "\(failure.step) \(failure.path)\(reason)" : failure.words
        return ContainerState(status: "created", exitCode: failure.status, error: words)
    }
}

/// The state beside the container's record, always whole.
struct StateFile {
    let path: String

    /// Writes to a temporary file and renames it; a failure does not make the container fail.
    func write(_ state: ContainerState) {
        guard !path.isEmpty else { return }
        var text = "{\"status\":\"\(state.status)\",\"pid\":\(state.pid),\"exitCode\":\(state.exitCode)"
        if let time = state.startedAt { text += ",\"startedAt\":\"\(time)\"" }
        if let time = state.finishedAt { text += ",\"finishedAt\":\"\(time)\"" }
        if state.restarts > 0 { text += ",\"restartCount\":\(state.restarts)" }
        if !state.pidStart.isEmpty { text += ",\"pidStart\":\"\(state.pidStart)\"" }
        text += ",\"oomKilled\":\(state.outOfMemory),\"error\":"
        var bytes = Array(text.utf8)
        JSONText.append(quoting: Array(state.error.utf8)[...], to: &bytes)
        if !state.ports.isEmpty {
            let ports = state.ports.map {
                "{\"proto\":\"\($0.proto)\",\"address\":\"\($0.hostAddress)\",\"host\":\($0.hostPort),"
                    + "\"container\":\($0.containerPort)}"
            }
            bytes += Array(",\"ports\":[\(ports.joined(separator: ","))]".utf8)
        }
        if !state.health.isEmpty { bytes += Array(",\"health\":\(state.health)".utf8) }
        bytes += Array(",\"runnerPid\":\(getpid())}\n".utf8)
        let aside = "\(path).\(getpid())~"
        do throws(SystemCallError) {
            try OwnedFD.open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).write(bytes)
            try check("rename") { rename(aside, path) }
        } catch {
            unlink(aside)
        }
    }
}
