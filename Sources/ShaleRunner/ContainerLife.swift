import Glibc
import Linux
import RunnerProtocol

/// One run of the container's first process, with the control groups and the network that begin and end with it.
struct ContainerLife {
    let first: ManagedProcess
    let cgroup: ContainerCgroup
    let network: PrivateNetwork?
    let health: HealthMonitor?
    let began = SteadyClock.milliseconds

    /// Starts it, `meanwhile` is done while the child mounts; throws the step that failed, with nothing left behind.
    init(
        _ plan: LaunchPlan, folder: borrowing OwnedFD, meanwhile: (borrowing OwnedFD) throws(StepFailure) -> Void
    ) throws(StepFailure) {
        let shared = try plan.sharedNetwork.map { shared throws(StepFailure) in try shared.namespace() }
        let cgroup = try ContainerCgroup(plan.cgroup, devices: plan.deviceRules)
        let start: (process: ManagedProcess, report: Handle)
        do throws(StepFailure) {
            start = try Self.start(plan, cgroup, network: shared)
        } catch {
            cgroup.remove()
            throw error
        }
        var network: PrivateNetwork?
        do throws(StepFailure) {
            try meanwhile(folder)
            network = try Self.openNetwork(plan, folder, start)
            let report = ChildReport.read(from: start.report.raw)
            start.process.terminal = report.terminal
            if let terminal = report.terminal { ProcessPipes.setNonblocking(terminal.raw) }
            if let failure = report.failure { throw failure }
        } catch {
            kill(start.process.pid, SIGKILL)
            waitpid(start.process.pid, nil, 0)
            network?.end()
            cgroup.remove()
            throw error
        }
        if !plan.logPath.isEmpty {
            start.process.log = ContainerLog(path: plan.logPath, limit: plan.logLimit, files: plan.logFiles)
        }
        first = start.process
        self.cgroup = cgroup
        self.network = network
        health = plan.health.map(HealthMonitor.init)
    }

    /// Meanwhile the child mounts; it waits for the supervisor's message before it becomes the program.
    private static func openNetwork(
        _ plan: LaunchPlan, _ folder: borrowing OwnedFD, _ start: (process: ManagedProcess, report: Handle)
    ) throws(StepFailure) -> PrivateNetwork? {
        guard let wanted = plan.network else { return nil }
        let network = try PrivateNetwork(wanted, folder: folder, path: plan.folder, container: start.process.pid)
        // One that failed meanwhile has told so.
        try? UnixSocket.send([1], to: start.report.raw)
        return network
    }

    private static func start(
        _ plan: LaunchPlan, _ cgroup: ContainerCgroup, network: Handle?
    ) throws(StepFailure) -> (process: ManagedProcess, report: Handle) {
        let pipes = try ProcessPipes(terminal: plan.process.terminal, input: plan.openStdin, outputs: true)
        let socket = try ReportSocket()
        var kinds: NamespaceKinds = [.mount, .pid, .ipc]
        if plan.ownNetwork, network == nil { kinds.insert(.network) }
        if !plan.hostUTS { kinds.insert(.uts) }
        let pid = try step("clone") { () throws(SystemCallError) in
            do throws(SystemCallError) {
                return try Namespaces.fork(into: kinds, cgroup: cgroup.descriptor)
            } catch {
                // A group that may be made and not be entered: as if there were none, unless limits hang on it.
                guard cgroup.descriptor >= 0, !cgroup.hasLimits else { throw error }
                cgroup.continueWithoutUnified()
                return try Namespaces.fork(into: kinds)
            }
        }
        if pid == 0 {
            close(socket.own.raw)
            var effective = plan
            effective.cgroup = cgroup.effectivePlan
            let isGuarded = plan.restrictsDevices && !cgroup.filtersDevices
            if isGuarded { effective.process.capabilities &= ~Capabilities.makeNode.rawValue }
            ContainerChild(
                plan: effective, guardsDevices: isGuarded, sharedNetwork: network, streams: pipes.child,
                report: socket.child
            ).run()
        }
        close(socket.child)
        pipes.closeChildEnds()
        let process = ManagedProcess(pid: pid, isFirst: true)
        pipes.give(to: process)
        return (process, socket.own)
    }

    /// Removes what would make another start of the same container fail.
    func end() {
        cgroup.remove()
        network?.end()
    }
}

extension SharedNetwork {
    /// The other container's network namespace; its own runner tells which process is in it.
    fileprivate func namespace() throws(StepFailure) -> Handle {
        guard let socket = try? UnixSocket.connect(in: folder, name: Supervisor.socketName),
            (try? UnixSocket.send(Message.status.frame(), to: socket.raw)) != nil
        else { throw notRunning }
        var answers = ChannelReader(fd: socket.raw)
        guard case .state(let status)? = answers.next(), status.pid > 0,
            let namespace = try? OwnedFD.open("/proc/\(status.pid)/ns/net", O_RDONLY)
        else { throw notRunning }
        return Handle(namespace)
    }

    private var notRunning: StepFailure {
        StepFailure(
            step: "network", path: containerID, errno: ESRCH,
            words: "cannot join network of a non running container: \(containerID)")
    }
}
