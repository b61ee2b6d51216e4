package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
import OCI
import RunnerProtocol
package import Runtime
package import Stores

/// What `exec` was asked for.
package struct ExecOptions: Sendable {
    package var command: [String]
    package var interactive = false
    package var terminal = false
    package var detach = false
    package var environment: [String] = []
    package var environmentFiles: [String] = []
    package var workingDirectory: String?
    package var user: String?
    package var privileged = false
    package var initialSize: TerminalSize?

    package init(command: [String]) { self.command = command }
}

extension ContainerEngine {
    // MARK: Starting

    /// Starts a container that does not run; `nil` when it runs already.
    ///
    /// With streams it is in the foreground, and `relay()` of what comes back carries them; without, it runs by itself
    /// and, auto-removed, is removed by its runner when it ends. Throws what locking the container, writing its event,
    /// making the launch spec or starting the runner throws.
    package func start(
        _ record: ContainerRecord, streams: AttachStreams?, size: TerminalSize? = nil
    ) throws(ShaleError) -> RunningContainer? {
        // Not while `cp` has its files mounted, and not twice at once.
        let lease = try ContainerLock(store.containers.folder(record.id))
        defer { withExtendedLifetime(lease) {} }
        guard !state(of: record.id).isRunning else { return nil }
        var spec = try launchSpec(for: record)
        spec.initialSize = size
        if record.host.autoRemove, let program = Self.ownProgram {
            spec.afterExit = [program, "--home", store.home, "rm", "-f", record.id]
        }
        // Nothing was done yet: when the event cannot be written, the container is not started.
        try store.containers.append(ContainerEvent(.run, arguments: record.command), to: record.id)
        return try runtime.start(spec, attach: streams)
    }

    private static let ownProgram: String? = {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return count > 0 ? String(pathBytes: buffer[..<count].map { UInt8(bitPattern: $0) }) : nil
    }()

    /// What events tell of a volume that is mounted; `nil` for any other mount.
    private static func told(_ mount: MountRecord, in container: String) -> String? {
        guard mount.type == "volume", let name = mount.name else { return nil }
        return EventLine.document(of: [
            "name": name, "container": container, "destination": mount.destination, "driver": "local",
            "propagation": "", "read/write": mount.readOnly ? "false" : "true",
        ]).text()
    }

    func launchSpec(for record: ContainerRecord) throws(ShaleError) -> LaunchSpec {
        let folder = store.containers.folder(record.id)
        let config = record.config
        let host = record.host
        var spec = LaunchSpec(
            containerID: record.id, arguments: record.command, lowerPaths: try rootPaths(of: record),
            upperPath: folder.upper, workPath: folder.work,
            logPath: host.logDriver == "none" ? "" : folder.log, statePath: folder.state,
            socketDirectory: folder.socketDirectory, home: store.home)
        let told = EventLine.document(of: StoreEvent("start", of: record).attributes).text()
        spec.events = (EventLog.path(home: store.home), told, host.mounts.compactMap { Self.told($0, in: record.id) })
        spec.host = host
        spec.hostname = record.hostname
        spec.domainname = record.domainname ?? ""
        spec.volatile = host.autoRemove
        spec.environment = config.env ?? []
        spec.workingDirectory = config.workingDir ?? "/"
        spec.user = config.user ?? ""
        spec.terminal = record.console.tty
        spec.openStdin = record.console.openStdin
        spec.mounts = host.mounts.map {
            BindMount(source: $0.source, destination: $0.destination, readOnly: $0.readOnly)
        }
        spec.temporaryMounts = host.tmpfs.sorted { $0.key < $1.key }.map {
            TemporaryMount(destination: $0.key, options: $0.value)
        }
        spec.network =
            switch host.networkMode {
            case "none": .none
            case "private": .private(try record.publishedPorts())
            default: .host
            }
        try share(&spec, networkOf: record)
        spec.hasHostNames = host.networkMode == "host"
        spec.logRotation = try LogFileOptions(host.logOptions).rotation
        spec.health = config.healthProbe
        spec.restart = record.restartPlan
        let rights = try rights(of: record)
        spec.capabilities = rights.capabilities
        (spec.seccomp, spec.noNewPrivileges) = (rights.seccomp, rights.noNewPrivileges)
        return spec
    }

    /// With `--network container:NAME`: the network, the name and the hosts of the other one.
    private func share(_ spec: inout LaunchSpec, networkOf record: ContainerRecord) throws(ShaleError) {
        guard let id = record.host.networkContainer else { return }
        var owner = try store.containers.record(id)
        let state = state(of: id)
        if state.status == .restarting { throw Self.isRestarting(owner) }
        guard state.isRunning else {
            throw ShaleError(
                .conflict, "cannot join network of a non running container: \(id)", hint: "start \(owner.name)")
        }
        let folder = store.containers.folder(id).socketDirectory
        // That container may itself share the network of another: then the other's files are used.
        while let next = owner.host.networkContainer, let record = try? store.containers.record(next) { owner = record }
        spec.hostname = owner.hostname
        spec.domainname = owner.domainname ?? ""
        spec.network = .shared(
            containerID: id, folder: folder, files: store.containers.folder(owner.id).path,
            isHost: owner.host.network == "host")
    }

    func rights(
        of record: ContainerRecord
    ) throws(ShaleError) -> (capabilities: Capabilities, seccomp: LaunchSpec.Seccomp, noNewPrivileges: Bool) {
        let (seccomp, noNewPrivileges) = try Self.filter(record.host.securityOptions)
        let mask = try CapabilityOptions.mask(
            added: record.host.capAdd, dropped: record.host.capDrop, privileged: record.host.privileged)
        return (mask, seccomp, noNewPrivileges)
    }

    // MARK: Running ones

    /// Joins the streams of a running container.
    ///
    /// Throws `conflict` when the container is stopped, paused or restarting, `invalid` when the detach keys cannot be
    /// read, and what asking the runner throws.
    package func attach(
        _ record: ContainerRecord, streams: AttachStreams, detachKeys: String? = nil
    ) throws(ShaleError) -> AttachOutcome {
        let state = state(of: record.id)
        if state.status == .restarting {
            throw ShaleError(.conflict, "You cannot attach to a restarting container, wait until it is running")
        }
        guard state.isRunning else {
            throw ShaleError(
                .conflict, "You cannot attach to a stopped container, start it first", hint: "start -ai \(record.name)")
        }
        guard state.status != .paused else {
            throw ShaleError(
                .conflict, "You cannot attach to a paused container, unpause it first", hint: "unpause \(record.name)")
        }
        let keys = try (detachKeys ?? record.console.detachKeys).map { text throws(ShaleError) in
            try DetachKeys(parsing: text)
        }
        return try runtime.attach(
            socketDirectory: store.containers.folder(record.id).socketDirectory, streams: streams,
            detachKeys: keys ?? .standard)
    }

    /// Runs another process in a running container, and keeps that it did among the container's events.
    ///
    /// Throws `usage` without a command, `conflict` when the container is stopped, paused or restarting, and what
    /// starting the process throws.
    package func exec(
        in record: ContainerRecord, _ options: ExecOptions, streams: AttachStreams
    ) throws(ShaleError) -> AttachOutcome {
        guard !options.command.isEmpty else { throw ShaleError(.usage, "no exec command specified") }
        let state = state(of: record.id)
        if state.status == .restarting { throw Self.isRestarting(record) }
        guard state.isRunning else {
            throw ShaleError(.conflict, "container \(record.id) is not running", hint: "start \(record.name)")
        }
        guard state.status != .paused else {
            throw ShaleError(
                .conflict, "Container \(record.name) is paused, unpause the container before exec",
                hint: "unpause \(record.name)")
        }
        let window = openEvent(in: record)
        store.events.append(StoreEvent("exec_start", of: record))
        let outcome = try startExec(in: record, options, streams: streams)
        if case .exited(let code) = outcome, !options.detach {
            store.events.append(StoreEvent("exec_die", of: record, ["exitCode": String(code)]))
        }
        try note(options, outcome, window, in: record)
        return outcome
    }

    /// The same, but no event is written.
    func startExec(
        in record: ContainerRecord, _ options: ExecOptions, streams: AttachStreams
    ) throws(ShaleError) -> AttachOutcome {
        let own = try EnvironmentOption.all(files: options.environmentFiles, values: options.environment)
        var spec = ExecSpec(
            arguments: options.command,
            environment: ["HOSTNAME=\(record.hostname)"] + (record.config.env ?? []) + own,
            workingDirectory: options.workingDirectory ?? record.config.workingDir ?? "/",
            user: options.user ?? record.config.user ?? "", terminal: options.terminal,
            openStdin: options.interactive)
        let rights = try rights(of: record)
        spec.host = record.host
        spec.detached = options.detach
        spec.host.privileged = options.privileged || record.host.privileged
        (spec.capabilities, spec.seccomp) = (rights.capabilities, rights.seccomp)
        spec.noNewPrivileges = rights.noNewPrivileges
        spec.initialSize = options.initialSize
        return try runtime.exec(
            socketDirectory: store.containers.folder(record.id).socketDirectory, spec, streams: streams)
    }

    private func note(
        _ options: ExecOptions, _ outcome: AttachOutcome, _ window: EventWindow, in record: ContainerRecord
    ) throws(ShaleError) {
        let environment = try EnvironmentOption.all(files: options.environmentFiles, values: options.environment)
        var event = ContainerEvent(.exec, arguments: options.command)
        event.workingDirectory = options.workingDirectory
        event.user = options.user
        event.environment = environment.isEmpty ? nil : environment
        if case .exited(let code) = outcome, !options.detach { event.exitCode = code }
        if options.interactive || options.terminal { event.isInteractive = true }
        if options.privileged { event.isPrivileged = true }
        closeEvent(window, event, in: record)
    }

    /// Removes a container whose foreground run has ended, without checking again whether it runs.
    package func removeFinished(_ record: ContainerRecord) {
        Logger.container.attempt("remove container \(record.name)") {
            try Observer.measure(.container, "remove") { () throws(ShaleError) in
                try store.containers.remove(record.id, named: record.name)
            }
        }
        removeAnonymousVolumes(of: record)
    }

    /// Removes auto-removed containers that ended when nobody was there to do it: detached from by keys, or their
    /// shell killed.
    func removeEnded(_ views: [ContainerView]) -> [ContainerView] {
        let exclusion = try? store.exclusion()
        return views.filter { view in
            guard view.record.host.autoRemove, view.state.status == .exited,
                Timestamp.now().seconds(since: view.state.finishedAt ?? .epoch) > 10
            else { return true }
            // One whose shell is still there is removed by it.
            guard let exclusion, exclusion.take(.container(view.record.id)) else { return true }
            defer { exclusion.give(.container(view.record.id)) }
            removeFinished(view.record)
            return false
        }
    }
}
