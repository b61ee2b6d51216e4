package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import RunnerProtocol
import Synchronization

/// Starts containers, and talks to those that run.
package final class ContainerRuntime: Sendable {
    private let runnerPath: String
    private let planner: LaunchPlanner
    /// Runners that are this process's children, to be collected once they end.
    private let children = Mutex<[Int32]>([])

    /// `cachePath` is a folder for compiled seccomp programs, made when needed.
    package init(runnerPath: String, cachePath: String) {
        self.runnerPath = runnerPath
        planner = LaunchPlanner(compiler: SeccompCompiler(cachePath: cachePath))
    }

    /// Starts a container, and returns when its program runs.
    ///
    /// With `attach` the container runs in the foreground, and `RunningContainer.relay()` transfers its streams.
    /// Without it, the runner detaches from this process and outlives it. Throws `commandNotFound`, `notExecutable` or
    /// `engine`, in docker's wording. After an error only the files of the container's folder are left.
    package func start(_ spec: LaunchSpec, attach: AttachStreams?) throws(ShaleError) -> RunningContainer {
        collectChildren()
        var spec = spec
        if spec.terminal, spec.initialSize == nil { spec.initialSize = attach?.input.flatMap(Terminal.size(of:)) }
        let plan = try Observer.measure(.runner, "plan") { () throws(ShaleError) in
            let plan = try planner.plan(for: spec, attached: attach != nil)
            try NetworkFiles(spec: spec, hostname: plan.hostname).write()
            return plan
        }
        let connection: RunnerConnection
        let pid: Int32
        do throws(SystemCallError) {
            let pair = try UnixSocket.pair()
            pid = try Observer.measure(.runner, "spawn \(runnerPath)") { () throws(SystemCallError) in
                try spawn(pair.second)
            }
            connection = RunnerConnection(try pair.first.duplicate())
        } catch {
            var failure = error.shaleError("container runner")
            if access(runnerPath, X_OK) != 0 { failure.hint = "doctor   (says where shale-runner belongs)" }
            throw failure
        }
        if plan.detached {
            defer { RunnerProcess.wait(for: pid) }
            return try started(plan, connection, nil)
        }
        children.withLock { $0.append(pid) }
        do throws(ShaleError) {
            return try started(plan, connection, attach)
        } catch {
            RunnerProcess.wait(for: pid)
            children.withLock { $0.removeAll { $0 == pid } }
            throw error
        }
    }

    private func started(
        _ plan: LaunchPlan, _ connection: RunnerConnection, _ attach: AttachStreams?
    ) throws(ShaleError) -> RunningContainer {
        let answer = try Observer.measure(.runner, "start \(plan.containerID)") { () throws(ShaleError) in
            try connection.send(.launch(plan))
            return try connection.answer()
        }
        guard case .started(let pid) = answer else {
            throw ShaleError(.engine, "container runner: unexpected answer")
        }
        return RunningContainer(
            pid: pid, connection: attach == nil ? nil : connection, streams: attach, terminal: plan.process.terminal)
    }

    private func spawn(_ channel: borrowing OwnedFD) throws(SystemCallError) -> Int32 {
        // PATH is for the command that the runner executes at the end. Nothing else of the caller's environment is
        // passed.
        let environment = [DefaultPath.entry]
        let errors: Int32 = getenv("SHALE_RUNNER_DEBUG") == nil ? -1 : 2
        // The program is executed from a detached read-only mount, so that a container that reaches it through
        // /proc/PID/exe can neither overwrite it nor change its mode (CVE-2019-5736). Without such a mount the kernel
        // still refuses writes to a running program.
        if let sealed = try? Mounts.clone(runnerPath, recursive: false),
            (try? Mounts.setReadOnly(sealed, recursive: false)) != nil
        {
            let path = "/proc/\(getpid())/fd/\(sealed.raw)"
            if let pid = try? RunnerProcess.spawn(path, channel: channel, errors: errors, environment: environment) {
                return pid
            }
        }
        return try RunnerProcess.spawn(runnerPath, channel: channel, errors: errors, environment: environment)
    }

    private func collectChildren() {
        children.withLock { $0.removeAll { RunnerProcess.collect($0) } }
    }

    // MARK: Running containers

    /// Attaches to the streams of a container's first process.
    ///
    /// Throws `notFound` when the container does not run, and what the runner or transferring the streams throws.
    package func attach(
        socketDirectory: String, streams: AttachStreams, detachKeys: DetachKeys? = .standard
    ) throws(ShaleError) -> AttachOutcome {
        let connection = try RunnerConnection(folder: socketDirectory)
        try connection.send(.status)
        guard case .state(let status) = try connection.answer() else {
            throw ShaleError(.engine, "container runner: unexpected answer")
        }
        try connection.send(.attach(stdin: streams.input != nil))
        _ = try connection.answer()
        var streams = streams
        streams.detachKeys = detachKeys
        return try Relay(connection: connection, streams: streams, terminal: status.terminal).run()
    }

    /// Runs another process in a container, and transfers its streams until it ends.
    ///
    /// For a detached process it returns 0 at once.
    ///
    /// Throws `notFound` when the container does not run, `engine` when the runner ends without an answer, and the
    /// failure that the runner reports.
    package func exec(
        socketDirectory: String, _ spec: ExecSpec, streams: AttachStreams
    ) throws(ShaleError) -> AttachOutcome {
        var spec = spec
        if spec.terminal, spec.initialSize == nil { spec.initialSize = streams.input.flatMap(Terminal.size(of:)) }
        let plan = try planner.process(spec)
        let connection = try RunnerConnection(folder: socketDirectory)
        let answer = try Observer.measure(.runner, "exec") { () throws(ShaleError) in
            try connection.send(.exec(plan, detached: spec.detached))
            return try connection.answer()
        }
        guard case .started = answer else {
            throw ShaleError(.engine, "container runner: unexpected answer")
        }
        if spec.detached { return .exited(0) }
        var streams = streams
        if !spec.openStdin { streams.input = spec.terminal ? streams.input : nil }
        return try Observer.measure(.process, "the process itself") { () throws(ShaleError) in
            try Relay(connection: connection, streams: streams, terminal: spec.terminal).run()
        }
    }

    /// Sends a signal to a container's first process.
    ///
    /// Throws `notFound` when the container does not run, and the failure that the runner reports.
    package func signal(_ number: Int32, socketDirectory: String) throws(ShaleError) {
        try ask(.signal(number), socketDirectory)
    }

    /// Sets the size of a container's terminal.
    ///
    /// Throws `notFound` when the container does not run, and what sending throws.
    package func resize(_ size: TerminalSize, socketDirectory: String) throws(ShaleError) {
        try RunnerConnection(folder: socketDirectory).send(.resize(rows: size.rows, columns: size.columns))
    }

    /// Freezes all processes of a container.
    ///
    /// Throws `notFound` when the container does not run, and the failure that the runner reports.
    package func pause(socketDirectory: String) throws(ShaleError) { try ask(.pause, socketDirectory) }

    /// Calls `body` while all processes of a container are frozen.
    ///
    /// They continue afterwards, also when this process is killed.
    ///
    /// Throws `notFound` when the container does not run, the failure that the runner reports, and what `body` throws.
    package func whilePaused<Result>(
        socketDirectory: String, _ body: () throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let connection = try RunnerConnection(folder: socketDirectory)
        try connection.send(.hold)
        _ = try connection.answer()
        defer { withExtendedLifetime(connection) {} }
        return try body()
    }

    /// Continues a frozen container.
    ///
    /// Throws `notFound` when the container does not run, and the failure that the runner reports.
    package func unpause(socketDirectory: String) throws(ShaleError) { try ask(.resume, socketDirectory) }

    /// Keeps a container with `--rm` from being removed at its end while the returned value exists, so that the caller
    /// can stop and start it.
    ///
    /// Throws `notFound` when the container does not run, and the failure that the runner reports.
    package func keep(socketDirectory: String) throws(ShaleError) -> KeptContainer {
        let connection = try RunnerConnection(folder: socketDirectory)
        try connection.send(.keep)
        _ = try connection.answer()
        return KeptContainer(connection: connection)
    }

    /// Sets the limits of a running container.
    ///
    /// Throws `unsupported` for a limit that this host's control groups cannot set, `notFound` when the container does
    /// not run, and the failure that the runner reports.
    package func setLimits(
        _ resources: ContainerResources, containerID: String, socketDirectory: String
    ) throws(ShaleError) {
        guard let plan = try CgroupPlanner(groups: .current).plan(resources, containerID: containerID) else { return }
        try ask(.limits(plan), socketDirectory)
    }

    /// Sets the restart policy of a running container.
    ///
    /// Throws `notFound` when the container does not run, and the failure that the runner reports.
    package func setRestart(_ plan: RestartPlan?, socketDirectory: String) throws(ShaleError) {
        try ask(.restart(plan), socketDirectory)
    }

    private func ask(_ message: Message, _ folder: String) throws(ShaleError) {
        let connection = try RunnerConnection(folder: folder)
        try connection.send(message)
        _ = try connection.answer()
    }

    /// Waits for a container's end, and returns its exit status; `nil` when `timeout`, in seconds, has passed before.
    ///
    /// Throws `notFound` when the container does not run.
    package func wait(socketDirectory: String, timeout: Double? = nil) throws(ShaleError) -> Int32? {
        let connection = try RunnerConnection(folder: socketDirectory)
        try connection.send(.wait)
        if let timeout {
            let milliseconds = Int32(clamping: Int64(min(max(timeout, 0), 1e6) * 1000))
            let events = Poller.wait(for: connection.socket.raw, events: .input, milliseconds: milliseconds)
            if events.isEmpty { return nil }
        }
        while let message = try connection.receive() {
            if case .exited(let report) = message { return report.code }
        }
        throw ShaleError(.engine, "container runner ended unexpectedly")
    }

    /// Waits for a container's end while `goesOn` returns true; it is called several times a second.
    ///
    /// Returns `nil` when it returned false.
    ///
    /// It returns the exit status also for a container that is removed at its end. Throws `notFound` when the container
    /// does not run.
    package func wait(socketDirectory: String, while goesOn: () -> Bool) throws(ShaleError) -> Int32? {
        let connection = try RunnerConnection(folder: socketDirectory)
        try connection.send(.wait)
        while Poller.wait(for: connection.socket.raw, events: .input, milliseconds: 100).isEmpty {
            guard goesOn() else { return nil }
        }
        while let message = try connection.receive() {
            if case .exited(let report) = message { return report.code }
        }
        throw ShaleError(.engine, "container runner ended unexpectedly")
    }

    /// Stops a container as docker does: sends a signal, and SIGKILL when it has not ended after `timeout` seconds (-1
    /// for never).
    ///
    /// Throws `notFound` when the container does not run, `engine` when its runner ends without a report, and what
    /// sending the signal throws.
    package func stop(
        socketDirectory: String, signal number: Int32 = 15, timeout: Double = 10
    ) throws(ShaleError) -> Int32 {
        let waiter = try RunnerConnection(folder: socketDirectory)
        try waiter.send(.wait)
        try signal(number, socketDirectory: socketDirectory)
        let milliseconds = timeout < 0 ? -1 : Int32(clamping: Int64(min(timeout, 1e6) * 1000))
        let events = Poller.wait(for: waiter.socket.raw, events: .input, milliseconds: milliseconds)
        if events.isEmpty {
            Logger.runner.attempt("kill what did not stop in time") { try signal(9, socketDirectory: socketDirectory) }
        }
        while let message = try waiter.receive() {
            if case .exited(let report) = message { return report.code }
        }
        throw ShaleError(.engine, "container runner ended unexpectedly")
    }

    /// The status from a container's runner; `nil` when no runner is alive.
    package func status(socketDirectory: String) -> ContainerStatus? {
        guard let connection = try? RunnerConnection(folder: socketDirectory),
            (try? connection.send(.status)) != nil, case .state(let status)? = try? connection.answer()
        else { return nil }
        return ContainerStatus(
            pid: status.pid, isPaused: status.paused, hasTerminal: status.terminal, execs: Int(status.execs))
    }
}

/// While this value exists, the runner of its container does not remove the container at its end.
package struct KeptContainer: Sendable {
    fileprivate let connection: RunnerConnection
}

/// The status of a container, from its runner.
package struct ContainerStatus: Sendable, Hashable {
    /// The process ID of the first process, in this process's PID namespace.
    package var pid: Int32
    package var isPaused: Bool
    package var hasTerminal: Bool
    package var execs: Int
}

/// A container that has just been started.
package struct RunningContainer: Sendable {
    /// The process ID of the first process, in this process's PID namespace.
    package let pid: Int32
    private let connection: RunnerConnection?
    private let streams: AttachStreams?
    private let terminal: Bool

    init(pid: Int32, connection: RunnerConnection?, streams: AttachStreams?, terminal: Bool) {
        self.pid = pid
        self.connection = connection
        self.streams = streams
        self.terminal = terminal
    }

    /// Transfers the streams that were given at the start until the container ends or the user detaches.
    ///
    /// It may be called once.
    ///
    /// Throws `engine` when the runner ends before the container does, and what carrying the streams throws.
    package func relay() throws(ShaleError) -> AttachOutcome {
        guard let connection, let streams else { return .detached }
        return try Observer.measure(.process, "the process itself") { () throws(ShaleError) in
            try Relay(connection: connection, streams: streams, terminal: terminal).run()
        }
    }
}
