package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging

extension ContainerRuntime {
    /// Whether a runner holds the container's lock: without one, a state that says running is a leftover.
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

    /// Sets right what a killed runner left: processes that outlived it, its cgroup, and a state that says running.
    ///
    /// True if there was something to set right; the container then counts as exited with 137. Does nothing while
    /// a runner lives, or to a container that has ended. Throws what locking the runner's file or writing the state
    /// throws.
    @discardableResult
    package static func recover(
        containerID: String, socketDirectory: String, statePath: String
    ) throws(ShaleError) -> Bool {
        guard let text = try? WholeFile.read(statePath, limit: 1 << 20),
            let state = try? JSONDocument(parsing: text, naming: statePath),
            let status = state["status"]?.string, ["running", "paused", "restarting"].contains(status)
        else { return false }
        do throws(SystemCallError) {
            guard let lock = try FileLock.trying(socketDirectory + "/runner.lock", exclusive: true) else {
                return false
            }
            endLeftovers(containerID, state)
            unlink(socketDirectory + "/control.sock")
            var members = exited(state)
            members.append(JSONDocument.Member("error", "the container's runner was killed"))
            try WholeFile.replace(statePath, with: Array((JSONDocument.object(members).text() + "\n").utf8))
            withExtendedLifetime(lock) {}
            return true
        } catch {
            throw error.shaleError("container \(Identifier.short(containerID)): state")
        }
    }

    private static func exited(_ state: JSONDocument) -> [JSONDocument.Member] {
        guard case .object(let members) = state else { return [] }
        let replaced: [(String, JSONDocument)] = [
            ("status", "exited"), ("pid", 0), ("exitCode", 137), ("finishedAt", .string("\(Timestamp.now())")),
        ]
        return members.filter { member in member.key != "error" && !replaced.contains { $0.0 == member.key } }
            + replaced.map { JSONDocument.Member($0.0, $0.1) }
    }

    /// A process that changed its ids is not told of its parent's death, so a container may outlive its runner.
    private static func endLeftovers(_ id: String, _ state: JSONDocument) {
        if case .integer(let number)? = state["pid"], number > 1, let pid = Int32(exactly: number),
            let started = state["pidStart"]?.string, UserNamespace.startTime(of: pid) == started
        {
            kill(pid, SIGKILL)
        }
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
