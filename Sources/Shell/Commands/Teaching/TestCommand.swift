package import ArgumentParser
package import Basics
import Glibc
import Linux
import Rendering

/// `test FILE`: runs the lines of a handout or a script, and compares what they print.
package struct TestCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run the lines of a handout or a recorded script, and compare what they print",
        usage: "test FILE.md|FILE.shale [--update] [--timeout SECONDS] [--here] [--allow-host]",
        discussion: """
            Of a Markdown file, the fenced blocks called console are run, one after the other: lines behind shale> or $ \
            are typed, the others are what they print. Ids, ages, dates and sizes count as equal. All of it runs in a \
            home of its own, which is removed afterwards; --here runs it in this home and session. A line that would \
            reach out of both (a command of this machine, a pipe, a mount of a folder, a push, a file to write) is refused \
            before anything runs, unless --allow-host is given. COPY and build read files where you are.
            """)
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let leasesWhatItUses = false
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let examples = ["test handout.md", "test handout.md --update", "test chapter.shale --timeout 300"]
    package static let differences = [
        "Docker has no such command.", "A handout that `record --md` wrote passes: what was printed is expected again.",
        "A block that takes longer than --timeout is stopped and named, and the rest is not run.",
    ]

    @Argument(help: "A handout (.md), or a script that record --output wrote.") var file: String
    @Flag(help: "Write what is printed now into the file.") var update = false
    @Option(help: "Seconds that each block, or a whole script, may take.") var timeout: Double = 120
    @Flag(help: "In this home and session.") var here = false
    @Flag(name: .customLong("allow-host"), help: "Also lines that reach out to this machine or a registry.")
    var allowsHost = false
    /// Set in the process of its own: the file to make when the test has come to its end.
    @Option(help: .hidden) var inside: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard timeout.isFinite, timeout > 0, timeout < 1e6 else {
            throw ShaleError(.usage, "test: --timeout takes a number of seconds above zero")
        }
        let text = try Self.text(of: file)
        if isHandout {
            guard try !HandoutSource(text, nil).blocks.isEmpty else {
                throw ShaleError(
                    .notFound, "\(file.visible): no console block with a line to run",
                    hint: "record --md FILE   (writes one)")
            }
        } else if update {
            throw ShaleError(
                .unsupported, "test: --update is for handouts (.md)", hint: "record FILE --output -f   (types it again)"
            )
        }
        guard let inside else { return try apart(shell) }
        defer { try? WholeFile.replace(inside, with: [], syncing: false) }
        return try run(text, shell)
    }

    private var isHandout: Bool { file.hasSuffix(".md") }

    private static func text(of file: String) throws(ShaleError) -> String {
        do throws(SystemCallError) {
            return String(pathBytes: try WholeFile.read(file, limit: 16 << 20))
        } catch {
            throw error.cancelled ?? ShaleError(.notFound, file.visible, cause: error.reason, exitStatus: 66)
        }
    }

    // MARK: In a process of its own

    /// Runs the test in another process, so that a line that hangs can be ended with all that it started.
    private func apart(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let folder = try Self.newHome(shell)
        defer { Self.remove(folder) }
        let home = here ? shell.options.home : folder
        let session = here ? shell.options.session : ShellOptions.firstSession
        let arguments =
            ["--home", home, "--session", session, "--no-rc"] + (shell.options.isOffline ? ["--offline"] : [])
            + ["test", file, "--inside", "\(folder)/ended", "--timeout", "\(timeout)"] + (update ? ["--update"] : [])
            + (allowsHost ? ["--allow-host"] : [])
        let outcome: HostProgram.Outcome
        let ending = Ending(shell.cancellation, mark: "\(folder)/ended")
        do throws(SystemCallError) {
            outcome = try HostProgram.run(
                Self.program, arguments, environment: environment(shell, home: home), isCancelled: ending.isOver)
        } catch {
            throw error.shaleError("test")
        }
        shell.console.write(String(pathBytes: outcome.output))
        if outcome.output.count >= 1 << 20 { shell.console.note("what it printed was cut at 1 MiB") }
        if shell.cancellation.isCancelled { return .status(Interrupt.status) }
        return .status(outcome.status > 128 ? 1 : outcome.status)
    }

    /// Of a home of its own, a person's credentials and settings are not there either.
    private func environment(_ shell: ShellContext, home: String) -> [String] {
        var all = shell.console.environment
        for name in ["SHALE_SESSION", "SHALE_HOME"] { all[name] = nil }
        if !here {
            for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "SSH_AUTH_SOCK", "REGISTRY_AUTH_FILE"] {
                all[name] = nil
            }
            all["HOME"] = home
            all["DOCKER_CONFIG"] = "\(home)/docker"
        }
        return all.map { "\($0.key)=\($0.value)" }
    }

    /// Says when to end what still holds the test's output: on Ctrl-C, and a moment after the test itself has ended.
    private final class Ending {
        private let cancellation: Cancellation
        private let mark: String
        private var seen: Double?
        private static let moment = 1.0

        init(_ cancellation: Cancellation, mark: String) {
            self.cancellation = cancellation
            self.mark = mark
        }

        func isOver() -> Bool {
            if cancellation.isCancelled { return true }
            guard access(mark, F_OK) == 0 else { return false }
            let now = ProgressView.monotonicSeconds()
            let first = seen ?? now
            seen = first
            return now - first > Self.moment
        }
    }

    private static let program = "/proc/self/exe"

    /// A home for one run, with what this one says of registries.
    private static func newHome(_ shell: ShellContext) throws(ShaleError) -> String {
        let parent = shell.console.environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        let path = "\(parent)/shale-test-\(UInt64.random(in: 0 ... .max))"
        guard path.withPath({ mkdir($0, 0o700) }) == 0 else {
            throw SystemCallError("mkdir", path: path).shaleError("test")
        }
        let kept = ["registry.mirror", "registry.insecure", "search.endpoint", "build.wording", "offline"]
        let lines = kept.flatMap { name in shell.settings.list(of: name).map { "\(name) = \($0)\n" } }
        try translating("test") {
            try WholeFile.replace("\(path)/settings", with: Array(lines.joined().utf8), syncing: false)
        }
        return path
    }

    /// Removes such a home, with the containers that still run in it.
    private static func remove(_ home: String) {
        var ids: [String] = []
        if let folder = try? OwnedFD.open("\(home)/containers", O_RDONLY | O_DIRECTORY) {
            ids = ((try? DirectoryEntries.names(of: folder)) ?? []).filter { $0.utf8.count == 64 }
        }
        let environment = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"]
        if !ids.isEmpty {
            _ = try? HostProgram.run(program, ["--home", home, "rm", "-f"] + ids, environment: environment)
        }
        _ = try? HostProgram.run("/bin/rm", ["-rf", "--one-file-system", home], environment: environment)
    }

    // MARK: The test itself

    private func run(_ text: String, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        try openQuietly(shell)
        let mode = shell.mode
        shell.mode = .script
        defer { shell.mode = mode }
        guard isHandout else { return try runScript(text, shell) }
        let source = try HandoutSource(text, SecretAnswers(shell, replayed: file))
        if !allowsHost { try HandoutReach(shell).check(source.blocks.flatMap { $0.commands.map(\.line) }, of: file) }
        let result = try HandoutTest(source, path: file, timeout: timeout, shell).run()
        for line in result.held { shell.console.note(line) }
        let blocks = "\(source.blocks.count) block\(source.blocks.count == 1 ? "" : "s")"
        if result.differing == 0 {
            let lines = "\(source.commandCount) line\(source.commandCount == 1 ? "" : "s")"
            return .line("\(file.visible): \(blocks), \(lines), all as written")
        }
        let some = "\(file.visible): \(result.differing) of \(blocks)"
        guard update else {
            return Outcome(
                .lines(result.differences + ["\(some) printed something else; --update writes it into the file"]),
                status: 1)
        }
        try Self.write(result.text, to: file)
        return .lines(result.differences + ["\(some) written anew"])
    }

    /// Opens the home; that its first start makes busybox is no line's output.
    private func openQuietly(_ shell: ShellContext) throws(ShaleError) {
        let console = shell.console
        shell.console = console.redirected(errors: .buffer(OutputBuffer(limit: 1 << 20)))
        defer { shell.console = console }
        _ = try shell.engine()
    }

    private func runScript(_ text: String, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        let source = try ReplaySource(text: text, path: file, variables: [:], SecretAnswers(shell, replayed: file))
        if !allowsHost { try HandoutReach(shell).check(source.lines, of: file) }
        let watchdog = try Watchdog()
        defer { watchdog.end() }
        watchdog.say(
            "\(file.visible): was stopped: it took longer than \(HumanUnits.duration(seconds: timeout).lowercased())")
        watchdog.begin(seconds: timeout)
        return try Replay.invoke([file, "--check"], in: shell)
    }

    /// Replaces the file as a whole, with the mode that it had.
    private static func write(_ text: String, to path: String) throws(ShaleError) {
        let mode = (try? FileStatus.of(hostPath: path, followingLink: true).permissions) ?? 0o644
        try translating(path) {
            try UnnamedFile.write(text.pathBytes, to: path, mode: mode & 0o777, syncing: true, followingLink: true)
        }
    }
}
