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
    /// `POSIX_SPAWN_SETSID`, which glibc shows to GNU sources alone.
    private static let ownSession: Int32 = 0x80

    /// Where programs are looked for when this process has no `PATH`.
    package static let defaultSearchPath = "/usr/bin:/bin"

    /// The `PATH` of this process.
    package static var searchPath: String { HostEnvironment.value("PATH") ?? defaultSearchPath }

    /// Where a program lies on a search path; `nil` if it is not there.
    package static func find(_ name: String, searchPath: String) -> String? {
        searchPath.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Whether a word is the name of a program on the `PATH` of this process.
    package static func isOnPath(_ name: String) -> Bool {
        guard !name.isEmpty, !name.contains("/"), let path = HostEnvironment.value("PATH") else { return false }
        return find(name, searchPath: path) != nil
    }

    /// Starts a program, with nothing on its standard input unless told, and waits for its end.
    ///
    /// With an input, or where it can be cancelled, it has no terminal to ask for more. Once `isCancelled` answers yes,
    /// it and all it started are ended. Throws the error of starting the program, of reading its output or of waiting
    /// for it.
    package static func run(
        _ path: String, _ arguments: [String], environment: [String], input: Int32? = nil,
        isCancelled: (() -> Bool)? = nil
    ) throws(SystemCallError) -> Outcome {
        let ends = try PipeEnds.descriptors()
        let reader = OwnedFD(adopting: ends.reading)
        let writer = OwnedFD(adopting: ends.writing)
        let pid = try spawn(
            path, arguments, environment, input: input, output: writer.raw, inOwnSession: isCancelled != nil)
        close(writer.release())
        let output = read(reader.raw) {
            guard isCancelled?() ?? false else { return true }
            kill(-pid, SIGKILL)
            return false
        }
        return Outcome(status: wait(for: pid), output: output)
    }

    /// What comes until the other end is closed, the first MiB of it; ten times a second `proceeds` is asked.
    private static func read(_ descriptor: Int32, while proceeds: () -> Bool) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while proceeds() {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, 100)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += buffer.prefix(min(count, max(0, limit - output.count)))
        }
        return output
    }

    fileprivate static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }

    fileprivate static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], input: Int32?, output: Int32,
        inOwnSession: Bool = false
    ) throws(SystemCallError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
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
        let session = input == nil && !inOwnSession ? 0 : ownSession
        posix_spawnattr_setflags(&attributes, Int16(Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | session))
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

/// A program of the host's that runs beside us: it ends by itself when its standard input ends, which happens with the
/// last reference, and when this process is no more.
package final class HostService: @unchecked Sendable {
    // Unchecked: written in `init` alone, used by `deinit` alone.
    private let pid: pid_t
    private let input: Int32
    private let output: Int32

    /// Starts the program.
    ///
    /// Throws the error of making the pipes or of starting it.
    package init(_ path: String, _ arguments: [String], environment: [String]) throws(SystemCallError) {
        let theirs = try PipeEnds.descriptors()
        defer { close(theirs.reading) }
        input = theirs.writing
        do throws(SystemCallError) {
            let ours = try PipeEnds.descriptors()
            defer { close(ours.writing) }
            output = ours.reading
            do throws(SystemCallError) {
                pid = try HostProgram.spawn(
                    path, arguments, environment, input: theirs.reading, output: ours.writing)
            } catch {
                close(ours.reading)
                throw error
            }
        } catch {
            close(theirs.writing)
            throw error
        }
    }

    deinit {
        close(input)
        close(output)
        _ = HostProgram.wait(for: pid)
    }

    /// The next line it writes, without its end; empty when there is none.
    package func readLine() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while (try? checkLength("read") { Glibc.read(output, &byte, 1) }) == 1, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        return String(pathBytes: bytes)
    }
}
