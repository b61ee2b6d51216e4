package import Basics
import Diagnostics
import Glibc
package import Images
package import Layers
import Linux
import Logging
import OCI
import RunnerProtocol
import Runtime
package import Stores

/// One line of a recorded shell in a container.
package struct ContainerLine: Sendable {
    /// The line to run, with the setup before it that it needs.
    package var text: String
    /// Makes, from where the report's folder is seen, the script that runs it.
    package var script: @Sendable (_ folder: String) -> String
    package var person: PersonAtStep
    /// Whether so much was typed while it ran, beside what nobody read, that it cannot be repeated.
    package var wasAnswered: @Sendable (_ unread: Int) -> Bool

    package init(
        text: String, script: @escaping @Sendable (_ folder: String) -> String, person: PersonAtStep,
        wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool
    ) {
        self.text = text
        self.script = script
        self.person = person
        self.wasAnswered = wasAnswered
    }
}

/// The result of a line in a container.
package struct ContainerLineOutcome: Sendable {
    package var exitStatus: Int32
    /// What it changed against the image, in docker's letters.
    package var summary: StepSummary
    /// The files its shell left in the report's folder, by name.
    package var report: [String: [UInt8]]
    /// What was typed while it ran, and nobody read.
    package var typedAhead: [UInt8]
}

extension ContainerEngine {
    /// What runs the lines of a container's shell.
    package func shell(of record: ContainerRecord) -> [String] { record.config.commandShell }

    /// The container's files as they lie, nothing mounted.
    ///
    /// Throws what opening a layer throws.
    package func tree(of record: ContainerRecord) throws(ShaleError) -> MergedTree {
        let upper = try images.open(store.containers.folder(record.id).upper)
        return MergedTree(layers: [upper] + (try lowers(of: record)), form: form)
    }

    /// Runs one line of a recorded shell in a container, beside its command where that runs, and keeps it among the
    /// container's events with what it changed.
    ///
    /// Throws `conflict` when the container is paused or restarting, and what running the line throws.
    package func enter(
        _ line: ContainerLine, in record: ContainerRecord, _ operation: OperationContext
    ) throws(ShaleError) -> ContainerLineOutcome {
        let state = state(of: record.id)
        guard state.status != .paused else {
            throw ShaleError(
                .conflict, "Container \(record.name) is paused", hint: "unpause \(record.name)")
        }
        if state.status == .restarting { throw Self.isRestarting(record) }
        let window = openEvent(in: record)
        let (status, left) =
            state.isRunning
            ? try runBeside(line, pid: state.pid, in: record, operation) : try runAlone(line, in: record, operation)
        var event = ContainerEvent(.exec, arguments: shell(of: record) + [line.text])
        event.exitCode = status
        if line.wasAnswered(left.typedAhead.count) { event.isInteractive = true }
        closeEvent(window, event, in: record)
        let changed = store.containers.events(of: record.id).last?.changed ?? []
        return ContainerLineOutcome(
            exitStatus: status, summary: try summary(of: changed, in: record), report: left.files,
            typedAhead: left.typedAhead)
    }

    private func summary(of paths: [String], in record: ContainerRecord) throws(ShaleError) -> StepSummary {
        guard !paths.isEmpty else { return .none }
        let wanted = Set(paths.map(PathKey.init))
        let changes = try changes(of: record)
        var mine = changes.filter { wanted.contains(PathKey($0.path)) && !$0.isParentOnly }
        // It was made in the container before and is gone now: compared with the image nothing changed.
        let seen = Set(changes.map { PathKey($0.path) })
        let tree = try tree(of: record)
        for path in paths where !seen.contains(PathKey(path)) {
            if try tree.entry(path, followingLinks: false) == nil { mine.append(Change(kind: .deleted, path: path)) }
        }
        mine.sort { $0.path < $1.path }
        return StepSummary(mine, bytes: mine.contentBytes)
    }

    /// In a running container: another process of it, whose report lies in the container's own `/dev`.
    private func runBeside(
        _ line: ContainerLine, pid: Int32, in record: ContainerRecord, _ operation: OperationContext
    ) throws(ShaleError) -> (status: Int32, left: LineReport) {
        let folder = "/dev/.enter-\(Identifier.short(Identifier.random()))"
        let host = "/proc/\(pid)/root\(folder)"
        try translating("container \(record.name)") {
            try Linux.check("mkdir", path: folder) { mkdir(host, 0o700) }
            _ = try Linux.check("chmod", path: folder) { chmod(host, 0o777) }
        }
        defer { Logger.container.attempt("remove \(folder)") { try FileTree.remove(host) } }
        var options = ExecOptions(command: shell(of: record) + [line.script(folder)])
        options.terminal = line.person.hasTerminal
        options.interactive = line.person.streams.input != nil
        options.initialSize = line.person.size
        let outcome = try startExec(in: record, options, streams: line.person.streams)
        guard case .exited(let status) = outcome else { throw ShaleError(.cancelled, "interrupted") }
        return (status, LineReport(in: host))
    }

    /// In a container that does not run: a separate process on its files, with everything else of its own.
    private func runAlone(
        _ line: ContainerLine, in record: ContainerRecord, _ operation: OperationContext
    ) throws(ShaleError) -> (status: Int32, left: LineReport) {
        let lease = try ContainerLock(store.containers.folder(record.id))
        defer { withExtendedLifetime(lease) {} }
        let report = try ScratchFolder(in: store)
        let scratch = try ScratchFolder(in: store)
        try translating(report.path) { try Linux.check("chmod") { chmod(report.path, 0o777) } }
        var spec = try launchSpec(for: record)
        let folder = "/dev/.enter"
        spec.arguments = shell(of: record) + [line.script(folder)]
        spec.mounts.append(BindMount(source: report.path, destination: folder))
        spec.logPath = ""
        spec.statePath = "\(scratch.path)/state.json"
        spec.volatile = false
        spec.health = nil
        spec.restart = nil
        spec.terminal = line.person.hasTerminal
        spec.openStdin = line.person.streams.input != nil
        spec.initialSize = line.person.size
        spec.host.useInit = true
        spec.endsWithLauncher = true
        spec.typedAhead = "\(folder)/\(LineReport.typedAheadName)"
        let running = try runtime.start(spec, attach: line.person.streams)
        let socket = spec.socketDirectory
        let watch = try CancellationWatch(operation.cancellation) { [runtime] in
            Logger.container.attempt("kill what was interrupted") {
                try runtime.signal(SIGKILL, socketDirectory: socket)
            }
        }
        defer { watch.end() }
        guard case .exited(let status) = try running.relay() else { throw ShaleError(.cancelled, "interrupted") }
        return (status, LineReport(in: report.path))
    }
}
