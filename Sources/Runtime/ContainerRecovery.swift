package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import RunnerProtocol

extension ContainerRuntime {
    /// Whether a runner holds the container's lock.
    ///
    /// If not, a state that says running is out of date.
    package static func isAlive(socketDirectory: String) -> Bool {
        let path = socketDirectory + "/runner.lock"
        guard access(path, F_OK) == 0 else { return false }
        do throws(SystemCallError) {
            if try FileLock.trying(path, exclusive: false) != nil { return false }
            return true
        } catch {
            return false
        }
    }

    /// Cleans up after a killed runner: ends remaining processes, removes the cgroup, and corrects a state that says
    /// running.
    ///
    /// Returns whether there was something to do; the container then counts as exited with status 137. Does nothing
    /// while a runner is alive, or for a container that has ended. Throws what locking the runner's file or writing the
    /// state throws.
    @discardableResult
    package static func recover(
        containerID: String, socketDirectory: String, statePath: String
    ) throws(ShaleError) -> Bool {
        let state = ContainerState.read(statePath)
        guard state.isRunning else { return false }
        do throws(SystemCallError) {
            guard let lock = try FileLock.trying(socketDirectory + "/runner.lock", exclusive: true) else {
                return false
            }
            endLeftovers(containerID, state)
            unlink(socketDirectory + "/control.sock")
            try WholeFile.replace(statePath, with: abandoned(state).bytes)
            withExtendedLifetime(lock) {}
            return true
        } catch {
            throw error.shaleError("container \(Identifier.short(containerID)): state")
        }
    }

    /// The corrected state of a container whose runner was killed.
    private static func abandoned(_ state: ContainerState) -> ContainerState {
        var ended = state
        ended.status = .exited
        ended.pid = 0
        ended.exitCode = 137
        ended.finishedAt = .now()
        ended.error = "the container's runner was killed"
        return ended
    }

    /// Ends the processes of a container whose runner was killed.
    ///
    /// The kernel sends no parent-death signal to a process that has changed its user IDs, so a container can outlive
    /// its runner.
    private static func endLeftovers(_ id: String, _ state: ContainerState) {
        if state.pid > 1, UserNamespace.startTime(of: state.pid) == state.pidStart { kill(state.pid, SIGKILL) }
        for folder in CgroupPlanner(groups: .current).folders(of: id) where access(folder, F_OK) == 0 {
            if let file = try? OwnedFD.open(folder + "/cgroup.kill", O_WRONLY) {
                Logger.runner.attempt("kill what is left in \(folder)") { try file.write(Array("1".utf8)) }
            }
            for _ in 0..<500 {
                if rmdir(folder) == 0 || errno != EBUSY { break }
                usleep(2000)
            }
        }
    }
}
