import Basics
import Glibc
import Linux
import RunnerProtocol

/// The parent of a container's processes, outside of its namespaces: owns their streams and log, answers on the
/// control socket, records the end.
final class Supervisor {
    static let socketName = "control.sock"
    private static let patience: Int32 = 5000

    let plan: LaunchPlan
    private let signals: SignalQueue
    private let folder: OwnedFD
    private var lock: FileLock?
    private let holder: HolderNote?
    private let stateFile: StateFile
    private var state = ContainerState(status: "running")
    let cgroup: ContainerCgroup
    let first: ManagedProcess
    let health: HealthMonitor?
    private var network: PrivateNetwork?
    private(set) var processes: [ManagedProcess] = []
    private var clients: [Client] = []
    private var listener: Handle?
    /// The shell that started a foreground container.
    private var launcher: Client?
    /// Whether it was there when the container ended, and so looks after what comes then.
    private var launcherSawEnd = false
    private(set) var isPaused = false

    /// Starts the container; throws the step that failed, with nothing left behind.
    init(plan: LaunchPlan, channel: Int32, unread: FrameParser) throws(StepFailure) {
        self.plan = plan
        stateFile = StateFile(path: plan.statePath)
        folder = try step("open", plan.folder) { () throws(SystemCallError) in
            try OwnedFD.open(plan.folder, OpenFlags.path | O_DIRECTORY)
        }
        lock = try Self.takeLock(plan.folder + "/runner.lock")
        signals = try step("signals") { () throws(SystemCallError) in
            try SignalQueue([SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT])
        }
        holder = plan.holderFolder.isEmpty ? nil : HolderNote(folder: plan.holderFolder)
        cgroup = try ContainerCgroup(plan.cgroup, devices: plan.deviceRules)
        let start = try Self.start(plan, cgroup)
        first = start.process
        if !plan.logPath.isEmpty {
            first.log = ContainerLog(path: plan.logPath, limit: plan.logLimit, files: plan.logFiles)
        }
        processes = [first]
        health = plan.health.map(HealthMonitor.init)
        // While the child mounts.
        listener = try? Handle(UnixSocket.listen(in: folder, name: Self.socketName))
        do throws(StepFailure) {
            try openNetwork(start.report)
        } catch {
            kill(first.pid, SIGKILL)
            waitpid(first.pid, nil, 0)
            cleanUp()
            throw error
        }
        let report = ChildReport.read(from: start.report.raw)
        first.terminal = report.terminal
        report.terminal.map { Self.setNonblocking($0) }
        if let failure = report.failure ?? (listener == nil ? Self.socketFailure(plan.folder) : nil) {
            kill(first.pid, SIGKILL)
            waitpid(first.pid, nil, 0)
            cleanUp()
            throw failure
        }
        state.pid = first.pid
        state.pidStart = UserNamespace.startTime(of: first.pid) ?? ""
        state.startedAt = .now()
        state.ports = network?.ports ?? []
        state.health = health?.text ?? ""
        stateFile.write(state)
        accept(channel: channel, unread)
    }

    /// The child mounts meanwhile, and waits for the word before it becomes the program.
    private func openNetwork(_ report: Handle) throws(StepFailure) {
        guard let wanted = plan.network else { return }
        network = try PrivateNetwork(wanted, folder: folder, path: plan.folder, container: first.pid)
        // One that failed meanwhile has told so.
        try? UnixSocket.send([1], to: report.raw)
    }

    private static func socketFailure(_ folder: String) -> StepFailure {
        StepFailure(step: "bind", path: folder + "/" + socketName, errno: errno)
    }

    /// Another runner of the same container may just be on its way out.
    private static func takeLock(_ path: String) throws(StepFailure) -> FileLock {
        for _ in 0..<patience / 10 {
            let lock = try step("lock", path) { () throws(SystemCallError) in
                try FileLock.trying(path, exclusive: true)
            }
            if let lock { return lock }
            usleep(10_000)
        }
        throw StepFailure(step: "lock", path: path, errno: EBUSY, words: "container is already running")
    }

    private static func setNonblocking(_ handle: Handle) {
        let flags = fcntl(handle.raw, F_GETFL)
        if flags != -1 { _ = fcntl(handle.raw, F_SETFL, flags | O_NONBLOCK) }
    }

    private static func start(
        _ plan: LaunchPlan, _ cgroup: ContainerCgroup
    ) throws(StepFailure) -> (process: ManagedProcess, report: Handle) {
        let pipes = try ProcessPipes(terminal: plan.process.terminal, input: plan.openStdin, outputs: true)
        let socket = try ReportSocket()
        var kinds: NamespaceKinds = [.mount, .pid, .ipc]
        if plan.ownNetwork { kinds.insert(.network) }
        if !plan.hostUTS { kinds.insert(.uts) }
        let pid = try step("clone") { () throws(SystemCallError) in
            do throws(SystemCallError) {
                return try Namespaces.fork(into: kinds, cgroup: cgroup.descriptor)
            } catch {
                // A group that may be made and not be entered: as if there were none, unless limits hang on it.
                guard cgroup.descriptor >= 0, !cgroup.hasLimits else { throw error }
                cgroup.giveUp()
                return try Namespaces.fork(into: kinds)
            }
        }
        if pid == 0 {
            close(socket.own.raw)
            var effective = plan
            effective.cgroup = cgroup.effectivePlan
            let isGuarded = plan.restrictsDevices && !cgroup.filtersDevices
            if isGuarded { effective.process.capabilities &= ~Capabilities.makeNode.rawValue }
            ContainerChild(plan: effective, guardsDevices: isGuarded, streams: pipes.child, report: socket.child).run()
        }
        close(socket.child)
        pipes.closeChildEnds()
        let process = ManagedProcess(pid: pid, isFirst: true)
        pipes.give(to: process)
        return (process, socket.own)
    }

    private func accept(channel: Int32, _ unread: FrameParser) {
        let client = Client(Handle(channel), parser: unread)
        Self.setNonblocking(client.handle)
        clients.append(client)
        if plan.attached {
            launcher = client
            attach(client, to: first, input: plan.openStdin)
            client.send(.started(pid: first.pid))
            handleMessages(of: client)
        } else {
            client.conclude(.started(pid: first.pid))
        }
    }

    // MARK: The loop

    func run() -> Never {
        while true {
            reapChildren()
            finishEnded()
            tendHealth()
            letGo()
            if first.isFinished, clients.isEmpty { break }
            waitForSomething()
        }
        if let program = plan.afterExit.first, !launcherSawEnd || launcher?.isLost == true {
            Signals.unblock([SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT])
            ProcessCalls.resetSignals()
            umask(0o022)
            ProcessCalls.closeOnExec(from: 3)
            _ = ProcessCalls.execute(program, arguments: plan.afterExit, environment: RunnerProgram.ownEnvironment())
        }
        exit(0)
    }

    /// Forgets connections that are closed; with the last one that kept the container paused it goes on.
    private func letGo() {
        let held = clients.contains(where: \.isHolding)
        clients.removeAll(where: \.isClosed)
        if held, isPaused, !clients.contains(where: \.isHolding) { _ = changePause(false) }
    }

    private func waitForSomething() {
        var poller = Poller()
        let signalPlace = poller.add(signals.descriptor.raw, .input)
        let listenPlace = poller.add(listener?.raw ?? -1, .input)
        let clientPlaces = clients.map { client in
            var wanted: PollEvents = client.wantsInput ? .input : []
            if client.hasOutput { wanted.insert(.output) }
            // Nothing wanted: not even the hang-up that cannot be acted on yet.
            return poller.add(wanted.isEmpty && client.process != nil ? -1 : client.handle.raw, wanted)
        }
        var streams: [(process: ManagedProcess, handle: Handle, stream: String, place: Int)] = []
        var inputs: [(process: ManagedProcess, place: Int)] = []
        for process in processes where !process.isFinished {
            for (handle, stream) in process.readable {
                streams.append((process, handle, stream, poller.add(handle.raw, .input)))
            }
            if let writable = process.writable { inputs.append((process, poller.add(writable.raw, .output))) }
        }
        poller.wait(milliseconds: first.isFinished ? -1 : health?.wait ?? -1)
        if poller.events(at: signalPlace).contains(.input) { takeSignals() }
        for (process, place) in inputs where !poller.events(at: place).isEmpty { process.flushInput() }
        for (process, handle, stream, place) in streams where !poller.events(at: place).isEmpty {
            process.relay(handle, stream)
            rest(handle, of: process, poller.events(at: place))
        }
        for (client, place) in zip(clients, clientPlaces) {
            let events = poller.events(at: place)
            if events.contains(.output) { client.flush() }
            if !events.isDisjoint(with: [.input, .hangUp, .error]) { receive(from: client) }
        }
        if poller.events(at: listenPlace).contains(.input) { acceptClients() }
    }

    /// A terminal no process has open now says so again and again; the end of its process is what counts.
    private func rest(_ handle: Handle, of process: ManagedProcess, _ events: PollEvents) {
        if handle === process.terminal, events.contains(.hangUp), !events.contains(.input) { usleep(1000) }
    }

    private func takeSignals() {
        while let number = signals.next() {
            switch number {
            case SIGTERM, SIGINT, SIGQUIT: kill(first.pid, number)
            default: break
            }
        }
    }

    private func reapChildren() {
        while let (pid, code) = ProcessCalls.reap() {
            processes.first { $0.pid == pid }?.exitCode = code
            if network?.isProgram(pid) == true { network?.hasEnded() }
        }
    }

    private func finishEnded() {
        for process in processes where !process.isFinished {
            guard let code = process.exitCode, process.drain() else { continue }
            process.finish()
            if process.isFirst { recordExit(code) }
            if process === health?.process, !first.isFinished {
                health?.ended(code)
                noteHealth()
            }
            let report = ExitReport(code: code, outOfMemory: process.isFirst && state.outOfMemory)
            for client in process.subscribers { client.conclude(.exited(report)) }
            process.subscribers = []
        }
        removeToolboxes()
        processes.removeAll { $0.isFinished && !$0.isFirst }
        guard first.isFinished else { return }
        for client in clients where !client.isClosing && client.process == nil {
            client.conclude(.exited(ExitReport(code: state.exitCode, outOfMemory: state.outOfMemory)))
        }
    }

    /// Writes what the health check last found.
    func noteHealth() {
        state.health = health?.text ?? ""
        stateFile.write(state)
    }

    func add(_ process: ManagedProcess) { processes.append(process) }

    private func recordExit(_ code: Int32) {
        state.status = "exited"
        state.pid = 0
        state.exitCode = code
        state.finishedAt = .now()
        state.outOfMemory = cgroup.hadOutOfMemory
        state.ports = []
        launcherSawEnd = launcher.map { launcher in first.subscribers.contains { $0 === launcher } } ?? false
        cleanUp()
        // A container to be thrown away by the shell that waits for it has no further readers.
        if !(plan.root.volatile && launcherSawEnd) { stateFile.write(state) }
        lock = nil
    }

    /// Takes away what another start of the same container would trip over.
    private func cleanUp() {
        _ = unlinkat(folder.raw, Self.socketName, 0)
        listener = nil
        cgroup.remove()
        network?.end()
        holder?.remove()
    }

    // MARK: Clients

    private func acceptClients() {
        guard let listener else { return }
        while let client = UnixSocket.accept(listener.raw) {
            let handle = Handle(client)
            if (try? UnixSocket.checkPeer(of: client)) != nil { clients.append(Client(handle)) }
        }
    }

    private func receive(from client: Client) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(client.handle.raw, &buffer, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            lose(client)
            return
        }
        client.parser.append(buffer[..<count])
        handleMessages(of: client)
    }

    private func handleMessages(of client: Client) {
        do {
            while let message = try client.parser.next() { handle(message, from: client) }
        } catch {
            lose(client)
        }
    }

    private func lose(_ client: Client) {
        // Nobody is left to type to it, and nobody can come back to it.
        if let process = client.process, process.toolbox != nil, process.exitCode == nil { kill(process.pid, SIGKILL) }
        if plan.endsWithLauncher, client === launcher, first.exitCode == nil { kill(first.pid, SIGKILL) }
        if let process = client.process, client.givesInput, plan.stdinOnce || !process.isFirst { process.endInput() }
        client.close()
    }

    func attach(_ client: Client, to process: ManagedProcess, input: Bool) {
        client.process = process
        client.givesInput = input
        process.subscribers.append(client)
    }

    private func handle(_ message: Message, from client: Client) {
        let process = client.process ?? first
        switch message {
        case .attach(let stdin):
            client.send(.ok)
            attach(client, to: first, input: stdin)
        case .exec(let plan, let detached): exec(plan, detached: detached, for: client)
        case .stdin(let bytes):
            if client.givesInput { process.feed(bytes) }
        case .stdinEnd:
            if client.givesInput { process.endInput() }
        case .resize(let rows, let columns): process.resize(TerminalSize(rows: rows, columns: columns))
        case .signal(let number): signal(number, process, from: client)
        case .wait: client.isWaiting = true
        case .pause: setPaused(true, for: client)
        case .resume: setPaused(false, for: client)
        case .hold:
            client.isHolding = true
            setPaused(true, for: client)
        case .status:
            let status = RunnerStatus(
                pid: first.exitCode == nil ? first.pid : 0, paused: isPaused, terminal: first.terminal != nil,
                execs: UInt32(processes.count { !$0.isFirst }))
            client.send(.state(status))
        default: lose(client)
        }
    }

    private func signal(_ number: Int32, _ process: ManagedProcess, from client: Client) {
        let failed = process.exitCode == nil && kill(process.pid, number) != 0
        // A frozen process dies only when it thaws.
        if number == SIGKILL, process.isFirst, isPaused { _ = changePause(false) }
        guard client.process == nil else { return }
        client.send(failed ? .failed(StepFailure(step: "kill", path: String(number), errno: errno)) : .ok)
    }

    private func setPaused(_ pause: Bool, for client: Client) {
        client.send(changePause(pause) ? .ok : .failed(StepFailure(step: "pause", errno: EBUSY)))
    }

    private func changePause(_ pause: Bool) -> Bool {
        if !cgroup.setFrozen(pause) { ProcessTree.signalAll(of: first.pid, pause ? SIGSTOP : SIGCONT) }
        isPaused = pause
        state.status = pause ? "paused" : "running"
        stateFile.write(state)
        return true
    }
}
