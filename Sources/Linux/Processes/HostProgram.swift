import Glibc

/// A program of the host's, run to its end.
package enum HostProgram {
    package struct Outcome: Sendable {
        /// As a shell counts it: 128 and the signal's number for one that was killed.
        package var status: Int32
        /// What it wrote on both streams, the first MiB of it.
        package var output: [UInt8]
    }

    private static let limit = 1 << 20

    /// Where a program lies on a search path; `nil` if it is not there.
    package static func find(_ name: String, searchPath: String) -> String? {
        searchPath.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Starts a program with nothing on its standard input, and waits for its end.
    package static func run(
        _ path: String, _ arguments: [String], environment: [String]
    ) throws(SystemCallError) -> Outcome {
        let ends = try PipeEnds.descriptors()
        let reader = OwnedFD(adopting: ends.reading)
        let writer = OwnedFD(adopting: ends.writing)
        let pid = try spawn(path, arguments, environment, output: writer.raw)
        close(writer.release())
        let output = (try? reader.readAll(limit: limit)) ?? []
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        let signal = status & 0x7f
        return Outcome(status: signal == 0 ? status >> 8 & 0xff : 128 + signal, output: output)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], output: Int32
    ) throws(SystemCallError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The caller may be a thread with every signal blocked.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigemptyset(&all)
        for number in [SIGINT, SIGQUIT, SIGPIPE, SIGTERM] { sigaddset(&all, number) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let error = ProcessCalls.withStringList([path] + arguments) { arguments in
            ProcessCalls.withStringList(environment) { environment in
                posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw SystemCallError("spawn", path: path, errno: error) }
        return pid
    }
}
