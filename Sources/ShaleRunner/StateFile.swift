import Glibc
import Linux
import RunnerProtocol

extension ContainerState {
    /// That of a container whose start failed at a step.
    static func failed(_ failure: StepFailure) -> ContainerState {
        let reason = failure.errno == 0 ? "" : ": \(SystemCallError.words(of: failure.errno))"
        let words = failure.words.isEmpty ? "\(failure.step) \(failure.path)\(reason)" : failure.words
        var state = ContainerState(.created)
        state.exitCode = failure.status
        state.error = words
        return state
    }
}

/// The state beside the container's record, always whole.
struct StateFile {
    let path: String

    /// Writes to a temporary file and renames it; a failure does not make the container fail.
    func write(_ state: ContainerState) {
        guard !path.isEmpty else { return }
        var state = state
        state.runnerPid = getpid()
        let aside = "\(path).\(getpid())~"
        do throws(SystemCallError) {
            try OwnedFD.open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).write(state.bytes)
            try check("rename") { rename(aside, path) }
        } catch {
            unlink(aside)
        }
    }
}
