package import Basics
import Glibc
import Linux

/// Commands of the host's own shell: `!ls`, and what stands behind a `|`.
package enum HostCommand {
    /// A process under way.
    package struct Running {
        package let pid: Int32

        /// Waits for its end; returns its status as a shell does, 128 + n for a signal.
        package func wait() -> Int32 {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        }
    }

    /// Starts `/bin/sh -c text`; an empty text is the user's own shell.
    ///
    /// Throws the system call's error when the shell cannot be started.
    package static func start(
        _ text: String, input: Int32 = 0, output: Int32 = 1, errors: Int32 = 2, environment: [String: String]
    ) throws(ShaleError) -> Running {
        FreshLine.isUnknown()
        let shell = text.isEmpty ? (environment["SHELL"] ?? "/bin/sh") : "/bin/sh"
        let arguments = text.isEmpty ? [shell] : [shell, "-c", text]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // dup2 of a descriptor onto itself would keep it close-on-exec; the three standard ones never are.
        for (descriptor, place) in [(input, Int32(0)), (output, 1), (errors, 2)] where descriptor != place {
            posix_spawn_file_actions_adddup2(&actions, descriptor, place)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGPIPE, SIGQUIT, SIGTSTP] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var pid: Int32 = 0
        let strings = environment.map { "\($0.key)=\($0.value)" }
        let failure = ProcessCalls.withStringList(arguments) { argv in
            ProcessCalls.withStringList(strings) { envp in
                CallersUmask.restored { posix_spawn(&pid, shell, &actions, &attributes, argv, envp) }
            }
        }
        guard failure == 0 else {
            throw SystemCallError("spawn", path: shell, errno: failure).shaleError("host shell")
        }
        return Running(pid: pid)
    }

    /// Runs one with the terminal, and waits.
    ///
    /// Throws the system call's error when the shell cannot be started; how the command ended is in the answer.
    package static func run(_ text: String, input: Int32 = 0, environment: [String: String]) throws(ShaleError) -> Int32
    {
        try start(text, input: input, environment: environment).wait()
    }

    /// Runs one and gathers what it prints.
    ///
    /// Throws the system call's error when no pipe can be made or the shell cannot be started.
    package static func capture(_ text: String, environment: [String: String]) throws(ShaleError) -> (String, Int32) {
        let pipe = try HostPipe()
        let running = try start(text, output: pipe.writeEnd, environment: environment)
        pipe.closeWriteEnd()
        let bytes = pipe.readAll()
        return (String(pathBytes: bytes), running.wait())
    }
}

/// A pipe between shale and a host command.
package final class HostPipe {
    package private(set) var readEnd: Int32
    package private(set) var writeEnd: Int32

    /// Makes a pipe.
    ///
    /// Throws the error of `pipe(2)`.
    package init() throws(ShaleError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemCallError("pipe").shaleError("host command") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    package func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    /// To be called once the reader has its own descriptor: writing to a pipe without a reader then fails and does not
    /// block.
    package func closeReadEnd() {
        if readEnd >= 0 { close(readEnd) }
        readEnd = -1
    }

    package func readAll(limit: Int = 64 << 20) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while all.count < limit {
            let count = chunk.withUnsafeMutableBytes { read(readEnd, $0.baseAddress, $0.count) }
            if count == -1, errno == EINTR { continue }
            guard count > 0 else { break }
            all.append(contentsOf: chunk[..<count])
        }
        return all
    }

    deinit {
        closeWriteEnd()
        closeReadEnd()
    }
}
