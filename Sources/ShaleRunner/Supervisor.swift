import Basics
import Glibc
import Linux
import RunnerProtocol

/// The parent of a container's processes, outside of its namespaces: owns their streams and log, answers on the
/// control socket, records the end.
final class Supervisor {
    static let socketName = "control.sock"
    private static let patience: Int32 = 5000

    private(set) var plan: LaunchPlan
    private let signals: SignalQueue
    private let folder: OwnedFD
    private var lock: FileLock?
    private let holder: HolderNote?
    private let stateFile: StateFile
    private let events: EventFile
    private var state = ContainerState(.running)
    private var life: ContainerLife
    var first: ManagedProcess { life.first }
    var cgroup: ContainerCgroup { life.cgroup }
    var health: HealthMonitor? { life.health }
    var schedule: RestartSchedule
    /// When its program is started again, on the steady clock; `nil` while it runs and when it has ended for good.
    private var nextStart: Int64?
    private(set) var processes: [ManagedProcess] = []
    var clients: [Client] = []
    private var listener: Handle?
    /// The shell that started a foreground container.
    private(set) var launcher: Client?
    /// Whether it was there when the container ended, and so looks after what comes then.
    private var launcherSawEnd = false
    /// Whether whoever ended it starts it again.
    private var isKept = false
    private(set) var isPaused = false
    /// The last status of its health that was told.
    private var toldHealth = HealthState.Status.starting

    /// Starts the container; throws the step that failed, with nothing left behind.
    init(plan: LaunchPlan, channel: Int32, unread: FrameParser) throws(StepFailure) {
        self.plan = plan
        stateFile = StateFile(path: plan.statePath)
        events = EventFile(plan)
        schedule = RestartSchedule(plan.restart)
        folder = try step("open", plan.folder) { () throws(SystemCallError) in
            try OwnedFD.open(plan.folder, OpenFlags.path | O_DIRECTORY)
        }
        lock = try Self.takeLock(plan.folder + "/runner.lock")
        signals = try step("signals") { () throws(SystemCallError) in
            try SignalQueue([SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT])
        }
        let holder = plan.holderFolder.isEmpty ? nil : HolderNote(folder: plan.holderFolder)
        self.holder = holder
        var listener: Handle?
        do throws(StepFailure) {
            life = try ContainerLife(plan, folder: folder) { folder throws(StepFailure) in
                listener = try step("bind", plan.folder + "/" + Self.socketName) { () throws(SystemCallError) in
                    Handle(try UnixSocket.listen(in: folder, name: Self.socketName))
                }
            }
        } catch {
            _ = unlinkat(folder.raw, Self.socketName, 0)
            holder?.remove()
            throw error
        }
        self.listener = listener
        let begin = SteadyTime.now()
        noteStart()
        StepClock.add("state", plan.statePath, begin: begin)
        StepClock.report(to: channel)
        accept(channel: channel, unread)
    }

    private func noteStart() {
        processes.removeAll(where: \.isFirst)
        processes.append(first)
        state.status = .running
        state.pid = first.pid
        state.pidStart = UserNamespace.startTime(of: first.pid) ?? ""
        state.startedAt = .now()
        state.ports = life.network?.ports ?? []
        state.health = health?.state
        stateFile.write(state)
        events.tell("start")
    }

    /// Another runner of the same container may be ending at this moment.
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

    private func accept(channel: Int32, _ unread: FrameParser) {
        let client = Client(Handle(channel), parser: unread)
        ProcessPipes.setNonblocking(client.handle.raw)
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
            startAgain()
            tendHealth()
            letGo()
            if first.isFinished, !isRestarting, clients.isEmpty { break }
            waitForSomething()
        }
        if let program = plan.afterExit.first, !isKept, !launcherSawEnd || launcher?.isLost == true {
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
        poller.wait(milliseconds: patience)
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
        if let listener, poller.events(at: listenPlace).contains(.input) { acceptClients(at: listener) }
    }

    /// Milliseconds until something is due.
    private var patience: Int32 {
        if let nextStart { return Int32(clamping: max(0, nextStart - SteadyClock.milliseconds)) }
        return first.isFinished ? -1 : health?.wait ?? -1
    }

    /// A terminal no process has open now says so again and again; the end of its process is what counts.
    private func rest(_ handle: Handle, of process: ManagedProcess, _ events: PollEvents) {
        if handle === process.terminal, events.contains(.hangUp), !events.contains(.input) { usleep(1000) }
    }

    private func takeSignals() {
        while let number = signals.next() {
            switch number {
            case SIGTERM, SIGINT, SIGQUIT:
                schedule.isCalledOff = true
                if isRestarting { endForGood() } else if first.exitCode == nil { kill(first.pid, number) }
            default: break
            }
        }
    }

    private func reapChildren() {
        while let (pid, code) = ProcessCalls.reap() {
            processes.first { $0.pid == pid }?.exitCode = code
            if life.network?.isProgram(pid) == true { life.network?.hasEnded() }
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
            let report = process.isFirst ? exitReport : ExitReport(code: code)
            for client in process.subscribers { client.conclude(.exited(report)) }
            process.subscribers = []
        }
        removeToolboxes()
        processes.removeAll { $0.isFinished && !$0.isFirst }
        guard first.isFinished, !isRestarting else { return }
        for client in clients where !client.isClosing && client.process == nil {
            client.conclude(.exited(exitReport))
        }
    }

    private var exitReport: ExitReport {
        ExitReport(code: state.exitCode, outOfMemory: state.oomKilled, isKept: isKept)
    }

    /// Writes what the health check last found.
    func noteHealth() {
        state.health = health?.state
        stateFile.write(state)
        guard let status = health?.state.status, status != toldHealth else { return }
        toldHealth = status
        events.tell("health_status: \(status.rawValue)")
    }

    func add(_ process: ManagedProcess) { processes.append(process) }

    private func recordExit(_ code: Int32) {
        state.pid = 0
        state.exitCode = code
        state.finishedAt = .now()
        state.oomKilled = cgroup.hadOutOfMemory
        state.ports = []
        if state.oomKilled { events.tell("oom") }
        let lasted = (SteadyClock.milliseconds - life.began) / 1000
        events.tell("die", [("execDuration", String(lasted)), ("exitCode", String(code))])
        isPaused = false
        guard
            let pause = schedule.pause(afterExit: code, ranFor: SteadyClock.milliseconds - life.began)
        else {
            endForGood()
            return
        }
        nextStart = SteadyClock.milliseconds + pause
        life.end()
        state.status = .restarting
        state.restartCount = schedule.count
        stateFile.write(state)
        for client in clients where client.isWaiting { client.conclude(.exited(exitReport)) }
    }

    func endForGood() {
        nextStart = nil
        state.status = .exited
        launcherSawEnd = launcher.map { launcher in first.subscribers.contains { $0 === launcher } } ?? false
        isKept = clients.contains(where: \.keepsContainer)
        cleanUp()
        // Nobody reads the state of a container that the waiting shell removes at once.
        if isKept || !(plan.root.volatile && launcherSawEnd) { stateFile.write(state) }
        lock = nil
    }

    /// Removes what would make another start of the same container fail.
    private func cleanUp() {
        _ = unlinkat(folder.raw, Self.socketName, 0)
        listener = nil
        life.end()
        holder?.remove()
    }

    // MARK: Starting again

    /// Whether it stands between two runs of its program.
    var isRestarting: Bool { nextStart != nil }

    private func startAgain() {
        guard let due = nextStart, SteadyClock.milliseconds >= due else { return }
        do throws(StepFailure) {
            let lease = try step("lock", plan.folder) { () throws(SystemCallError) in
                try FileLock.trying(onDirectory: plan.folder)
            }
            // Not while `cp` has its files mounted.
            guard let lease else {
                nextStart = SteadyClock.milliseconds + 50
                return
            }
            life = try ContainerLife(plan, folder: folder) { _ throws(StepFailure) in }
            withExtendedLifetime(lease) {}
            nextStart = nil
            noteStart()
        } catch {
            let failed = ContainerState.failed(error)
            (state.exitCode, state.error) = (failed.exitCode, failed.error)
            endForGood()
        }
    }

    // MARK: Being changed

    /// Freezes or thaws its processes; false when there are none.
    func changePause(_ pause: Bool) -> Bool {
        guard first.exitCode == nil else { return false }
        if !cgroup.setFrozen(pause) { ProcessTree.signalAll(of: first.pid, pause ? SIGSTOP : SIGCONT) }
        isPaused = pause
        state.status = pause ? .paused : .running
        stateFile.write(state)
        events.tell(pause ? "pause" : "unpause")
        return true
    }

    /// Sets other limits, for this run and those that follow.
    func change(_ limits: CgroupPlan) throws(StepFailure) {
        if first.exitCode == nil { try cgroup.change(limits, leader: first.pid) }
        plan.cgroup = (plan.cgroup ?? CgroupPlan()).merging(limits)
    }
}
