import CLinux
import Glibc

/// Starting a program in a session of its own, with one socket as its descriptor 3 and nothing else inherited.
package enum RunnerProcess {
    /// Starts it and returns the pid.
    ///
    /// Standard streams are the null device, but for errors if a descriptor is given. Throws the error of starting the
    /// process.
    package static func spawn(
        _ path: String, channel: borrowing OwnedFD, errors: Int32 = -1, environment: [String]
    ) throws(SystemCallError) -> Int32 {
        var pid: pid_t = 0
        let raw = channel.raw
        let error = ProcessCalls.withStringList(["shale-runner"]) { arguments in
            ProcessCalls.withStringList(environment) { environment in
                path.withPath { shale_spawn_runner($0, arguments, environment, raw, errors, &pid) }
            }
        }
        guard error == 0 else { throw SystemCallError("spawn", path: path, errno: error) }
        return pid
    }

    /// Takes the status of a child that has ended; true when there is nothing left to wait for.
    package static func collect(_ pid: Int32) -> Bool {
        var status: Int32 = 0
        let result = waitpid(pid, &status, WNOHANG)
        return result == pid || (result == -1 && errno == ECHILD)
    }

    /// Waits for a child that is about to end.
    package static func wait(for pid: Int32) {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    }
}
