import Basics
import Glibc

/// What went wrong while a test talked to a program in a terminal, with what the screen showed.
package struct TerminalError: Error, CustomStringConvertible {
    package var description: String
}

/// A program in a terminal of its own: keys go in, a screen comes out, and nothing sleeps.
///
/// The program is spawned, never forked, as leader of a new session whose controlling terminal is the pty. Not for use
/// from two threads. The program is killed when the test lets go of it.
package final class Terminal {
    /// What the terminal shows now.
    package private(set) var screen: Screen
    /// Every byte the program wrote.
    package private(set) var transcript: [UInt8] = []
    /// A random prompt for programs that take one: what ends with it has finished.
    package let prompt: String

    private let master: Int32
    private let process: pid_t
    private var status: Int32?
    /// Where in the transcript `expect` goes on.
    private var position = 0

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - command: Its path and arguments.
    ///   - environment: Added to `TERM=xterm-256color`, `PATH`, `HOME` (an absent folder) and `LANG=C.UTF-8`; `{PROMPT}`
    ///     in a value stands for ``prompt``.
    ///   - columns: The screen's width.
    ///   - rows: The screen's height.
    /// - Throws: ``TerminalError`` when there is no pty or the program cannot be started.
    package init(
        _ command: [String], environment: [String: String] = [:], columns: Int = 80, rows: Int = 24
    ) throws {
        screen = Screen(columns: columns, rows: rows)
        let prompt = "p\(UInt32.random(in: 100_000...999_999))> "
        self.prompt = prompt
        let (master, path) = try Self.openTerminal(columns: columns, rows: rows)
        self.master = master
        var variables = [
            "TERM": "xterm-256color", "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8",
        ]
        for (name, value) in environment { variables[name] = value.replacing("{PROMPT}", with: prompt) }
        do {
            process = try Self.spawn(command, environment: variables, on: path)
        } catch {
            close(master)
            throw error
        }
    }

    deinit {
        if status == nil {
            kill(process, SIGKILL)
            var ignored: Int32 = 0
            waitpid(process, &ignored, 0)
        }
        close(master)
    }

    // MARK: Talking

    /// Types text; `\r` is Enter, `\u{3}` Ctrl-C.
    package func send(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EAGAIN {
                // The program's input is full: let it write, so that it may read.
                _ = receive(timeout: 0.05)
            } else if errno != EINTR {
                throw failure("cannot send")
            }
        }
    }

    /// Types a line and Enter, and waits for the prompt after it.
    ///
    /// - Returns: What the program wrote in between, escape sequences taken out.
    @discardableResult
    package func run(_ line: String, timeout: Double = 60) throws -> String {
        try send(line + "\r")
        return try expect(prompt, timeout: timeout)
    }

    /// Waits until the program has written a text, from where the last call stopped.
    ///
    /// - Returns: What came before it, escape sequences taken out.
    @discardableResult
    package func expect(_ text: String, timeout: Double = 60) throws -> String {
        let wanted = Array(text.utf8)
        let deadline = Self.now() + timeout
        while true {
            if let end = find(wanted) {
                let before = transcript[position..<(end - wanted.count)]
                position = end
                return Self.stripped(before)
            }
            let left = deadline - Self.now()
            guard left > 0, receive(timeout: left) else {
                throw failure("expected \"\(text.visible)\"")
            }
        }
    }

    /// Waits until the screen is as wanted.
    package func waitFor(_ what: String = "the screen", timeout: Double = 60, _ isThere: (Screen) -> Bool) throws {
        let deadline = Self.now() + timeout
        while !isThere(screen) {
            let left = deadline - Self.now()
            guard left > 0, receive(timeout: left) else { throw failure("expected \(what)") }
        }
        position = transcript.count
    }

    package func resize(columns: Int, rows: Int) throws {
        screen.resize(columns: columns, rows: rows)
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        if ioctl(master, UInt(TIOCSWINSZ), &size) != 0 { throw failure("cannot resize") }
    }

    /// Sends a signal to the program alone.
    package func signal(_ number: Int32) { kill(process, number) }

    /// Waits until the program ends.
    ///
    /// - Returns: Its exit status, or 128 and the signal's number.
    package func waitForExit(timeout: Double = 60) throws -> Int32 {
        let deadline = Self.now() + timeout
        var result: Int32 = 0
        while waitpid(process, &result, WNOHANG) == 0 {
            if Self.now() > deadline { throw failure("expected the program to end") }
            // When the pty is closed there is nothing to wait on but the process.
            if !receive(timeout: 0.02) { usleep(2000) }
        }
        while receive(timeout: 0) {}
        let code = result & 0x7f == 0 ? (result >> 8) & 0xff : 128 + (result & 0x7f)
        status = code
        return code
    }

    // MARK: Bytes

    /// Takes what the program wrote; false when nothing came in time or the terminal is closed.
    private func receive(timeout: Double) -> Bool {
        var waits = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        let ready = poll(&waits, 1, Int32(max(0, min(timeout, 60)) * 1000))
        if ready < 0 { return errno == EINTR }
        guard ready > 0, waits.revents & Int16(POLLIN) != 0 else { return false }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &chunk, chunk.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        transcript += chunk[..<count]
        screen.feed(chunk[..<count])
        return true
    }

    private func find(_ wanted: [UInt8]) -> Int? {
        guard !wanted.isEmpty, transcript.count - position >= wanted.count else { return nil }
        for start in position...(transcript.count - wanted.count)
        where transcript[start] == wanted[0] && transcript[start..<(start + wanted.count)].elementsEqual(wanted) {
            return start + wanted.count
        }
        return nil
    }

    private func failure(_ what: String) -> TerminalError {
        TerminalError(description: "\(what); the screen shows:\n\(screen.text)\n(end of screen)")
    }

    /// Text without escape sequences and carriage returns.
    package static func stripped(_ bytes: some Sequence<UInt8>) -> String {
        var out = ""
        var sequence: [Unicode.Scalar] = []
        for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
            if sequence.isEmpty {
                if scalar == "\u{1b}" {
                    sequence = [scalar]
                } else if scalar != "\r", scalar != "\u{7}" {
                    out.unicodeScalars.append(scalar)
                }
                continue
            }
            sequence.append(scalar)
            let isTwo = sequence.count == 2 && scalar != "[" && scalar != "]"
            let isEnd =
                sequence.count > 2 && (sequence[1] == "]" ? scalar == "\u{7}" : (0x40...0x7e).contains(scalar.value))
            if isTwo || isEnd { sequence = [] }
        }
        return out
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Starting

    static func openTerminal(columns: Int, rows: Int) throws -> (Int32, String) {
        // posix_openpt and its kin are hidden without _GNU_SOURCE: ptmx(4), with TIOCSPTLCK and TIOCGPTN.
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        guard master >= 0, ioctl(master, 0x4004_5431, &isLocked) == 0, ioctl(master, 0x8004_5430, &number) == 0 else {
            throw TerminalError(description: "no pseudo-terminal: \(String(cString: strerror(errno)))")
        }
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        return (master, "/dev/pts/\(number)")
    }

    /// Spawns a session leader; opening the terminal by its path makes it the controlling one.
    private static func spawn(_ command: [String], environment: [String: String], on path: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigfillset(&defaults)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var mask = sigset_t()
        sigemptyset(&mask)
        posix_spawnattr_setsigmask(&attributes, &mask)
        // POSIX_SPAWN_SETSID, which glibc hides without _GNU_SOURCE.
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { pointer.map { free($0) } } }
        var process: pid_t = 0
        guard let program = command.first else { throw TerminalError(description: "no command") }
        let failed = posix_spawn(&process, program, &actions, &attributes, &arguments, &variables)
        guard failed == 0 else {
            throw TerminalError(
                description: "\(program): cannot be started: \(String(cString: strerror(failed)))")
        }
        return process
    }

    /// The path of a program that this package builds, beside the tests that run.
    package static func product(_ name: String) -> String {
        let buffer = [CChar](unsafeUninitializedCapacity: 4096) { bytes, count in
            count = bytes.baseAddress.map { max(0, readlink("/proc/self/exe", $0, bytes.count)) } ?? 0
        }
        var parts = String(decoding: buffer.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "/")
        if !parts.isEmpty { parts.removeLast() }
        return "/" + parts.joined(separator: "/") + "/" + name
    }
}
