import Glibc
import Linux
import RunnerProtocol

/// The child's side of starting the container's first process: new namespaces around it, the host's files still there.
struct ContainerChild {
    let plan: LaunchPlan
    /// Whether mounts keep devices from being opened, because no control group does it.
    let guardsDevices: Bool
    /// Another container's network namespace, to go into.
    let sharedNetwork: Handle?
    let streams: StandardStreams
    /// A socket to the supervisor.
    let report: Int32

    func run() -> Never {
        if plan.timesSteps { StepClock.start(isOfChild: true) }
        do throws(StepFailure) {
            try start()
        } catch {
            StepClock.report(to: report)
            try? UnixSocket.send(Message.failed(error).frame(), to: report)
            _exit(error.status)
        }
    }

    private func start() throws(StepFailure) -> Never {
        try step("prctl") { () throws(SystemCallError) in try ProcessCalls.dieWithParent() }
        for path in plan.cgroup?.legacy ?? [] {
            try step("cgroup", path) { () throws(SystemCallError) in
                try OwnedFD.open(path + "/cgroup.procs", O_WRONLY).write(Array("0".utf8))
            }
        }
        // Only now: a cgroup namespace begins where its maker is.
        try step("unshare", "cgroup") { () throws(SystemCallError) in try Namespaces.unshare(.cgroup) }
        if !plan.hostUTS {
            try step("sethostname", plan.hostname) { () throws(SystemCallError) in
                try Namespaces.setHostname(plan.hostname)
            }
            if !plan.domainname.isEmpty {
                try step("setdomainname", plan.domainname) { () throws(SystemCallError) in
                    try Namespaces.setDomainname(plan.domainname)
                }
            }
        }
        if let sharedNetwork {
            try step("setns", "network") { () throws(SystemCallError) in
                try Namespaces.join(.network, by: sharedNetwork.raw)
            }
        } else if plan.ownNetwork {
            try step("loopback") { () throws(SystemCallError) in try Namespaces.bringLoopbackUp() }
        }
        var root = try RootSetup(plan, guardsDevices: guardsDevices)
        try root.enter()
        if plan.network != nil { waitForNetwork() }
        var streams = streams
        if plan.process.terminal {
            guard let terminal = root.terminal else { throw StepFailure(step: "terminal", errno: ENODEV) }
            streams.terminal = terminal.slave
            try ChildTerminal.hand(terminal, plan.process, to: report)
        }
        var start = ProcessStart(plan: plan.process, streams: streams, report: report)
        start.makesWorkingDirectory = true
        start.reaper = plan.reaper
        start.typedAhead = plan.typedAhead
        try start.run()
    }
}

extension ContainerChild {
    /// Waits until the supervisor says that the network is ready; the program starts only then.
    private func waitForNetwork() {
        var byte: UInt8 = 0
        while true {
            let count = read(report, &byte, 1)
            if count == 1 { return }
            if count < 0, errno == EINTR { continue }
            _exit(137)
        }
    }
}

/// A process that joins a running container.
struct ExecChild {
    let plan: ProcessPlan
    /// The container's first process.
    let container: Int32
    let ownNetwork: Bool
    let hostUTS: Bool
    /// The container's cgroup (v2), or -1.
    let cgroup: Int32
    /// Files to write this process's pid into: v1 cgroups.
    let cgroupFiles: [String]
    let streams: StandardStreams
    let report: Int32

    /// Joins everything, then forks: only a child is in the pid namespace, and it is the supervisor's own child.
    func run() -> Never {
        do throws(StepFailure) {
            // From here on the container's processes may see this one.
            try step("prctl") { () throws(SystemCallError) in try ProcessCalls.hideFromOthers() }
            for path in cgroupFiles {
                try? OwnedFD.open(path, O_WRONLY).write(Array("0".utf8))
            }
            var kinds: NamespaceKinds = [.mount, .pid, .ipc]
            if ownNetwork { kinds.insert(.network) }
            if !hostUTS { kinds.insert(.uts) }
            let toolbox = try Toolbox(plan)
            try step("setns") { () throws(SystemCallError) in try Namespaces.join(kinds, of: container) }
            let pid = try step("fork") { () throws(SystemCallError) in
                try Namespaces.fork(cgroup: cgroup, asSibling: true)
            }
            if pid == 0 {
                // Only in the container's group already: where namespaces delegate (`nsdelegate`, as systemd mounts
                // it), nobody is let into a group from outside of the namespace it belongs to.
                try step("setns", "cgroup") { () throws(SystemCallError) in
                    try Namespaces.join(.cgroup, of: 1)
                }
                try toolbox?.mount()
                try start()
            }
            try? UnixSocket.send(Message.started(pid: pid).frame(), to: report)
            _exit(0)
        } catch {
            try? UnixSocket.send(Message.failed(error).frame(), to: report)
            _exit(error.status)
        }
    }

    private func start() throws(StepFailure) -> Never {
        var streams = streams
        if plan.terminal {
            let terminal = try step("terminal", "/dev/pts/ptmx") { () throws(SystemCallError) in
                TerminalEnds(try PseudoTerminal(multiplexer: "/dev/pts/ptmx"))
            }
            streams.terminal = terminal.slave
            try ChildTerminal.hand(terminal, plan, to: report)
        }
        try ProcessStart(plan: plan, streams: streams, report: report).run()
    }
}

/// The terminal a process of the container gets.
enum ChildTerminal {
    /// Sets the size, which the program must find right from its start, and hands the master to the supervisor.
    static func hand(_ terminal: TerminalEnds, _ plan: ProcessPlan, to report: Int32) throws(StepFailure) {
        if plan.rows > 0, plan.columns > 0 {
            Terminal.resize(terminal.slave, to: TerminalSize(rows: plan.rows, columns: plan.columns))
        }
        try step("terminal") { () throws(SystemCallError) in
            try UnixSocket.send(Message.ok.frame(), passing: terminal.master, to: report)
        }
    }
}
