import Glibc
import Linux
import RunnerProtocol

/// The supervisor's side of another process in the container.
struct ExecStart {
    let plan: LaunchPlan
    let process: ProcessPlan
    let container: Int32
    let cgroup: ContainerCgroup

    /// Starts it, with pipes for what is wanted of it.
    func run(input: Bool, outputs: Bool) throws(StepFailure) -> ManagedProcess {
        let pipes = try ProcessPipes(terminal: process.terminal, input: input, outputs: outputs)
        let socket = try ReportSocket()
        let joiner = try step("fork") { () throws(SystemCallError) in try Namespaces.fork() }
        if joiner == 0 {
            close(socket.own.raw)
            var process = process
            if plan.restrictsDevices, !cgroup.filtersDevices {
                process.capabilities &= ~Capabilities.makeNode.rawValue
            }
            ExecChild(
                plan: process, container: container, ownNetwork: plan.ownNetwork, hostUTS: plan.hostUTS,
                cgroup: cgroup.descriptor, cgroupFiles: cgroup.legacyFiles, streams: pipes.child,
                report: socket.child
            ).run()
        }
        close(socket.child)
        pipes.closeChildEnds()
        let report = ChildReport.read(from: socket.own.raw)
        waitpid(joiner, nil, 0)
        if let failure = report.failure {
            if let pid = report.pid { waitpid(pid, nil, 0) }
            throw failure
        }
        guard let pid = report.pid else { throw StepFailure(step: "exec", errno: ECHILD) }
        let started = ManagedProcess(pid: pid, isFirst: false)
        pipes.give(to: started)
        started.terminal = report.terminal
        if let terminal = report.terminal { ProcessPipes.setNonblocking(terminal.raw) }
        return started
    }
}

/// A socket between the supervisor and a child that starts; the child's end is a bare number that each side closes.
struct ReportSocket {
    let own: Handle
    let child: Int32

    init() throws(StepFailure) {
        let ends = try step("socketpair") { () throws(SystemCallError) in try UnixSocket.pairDescriptors() }
        own = Handle(ends.first)
        child = ends.second
    }
}

/// The pipes between a process and its supervisor.
struct ProcessPipes {
    /// The process's ends.
    let child: StandardStreams
    private let input: Handle?
    private let output: Handle?
    private let errors: Handle?
    private let childEnds: [Int32]

    init(terminal: Bool, input wantsInput: Bool, outputs: Bool) throws(StepFailure) {
        var child = StandardStreams()
        var ends: [Int32] = []
        var input: Handle?
        var output: Handle?
        var errors: Handle?
        func pipe() throws(StepFailure) -> (reading: Int32, writing: Int32) {
            try step("pipe") { () throws(SystemCallError) in try PipeEnds.descriptors() }
        }
        if !terminal {
            if wantsInput {
                let pair = try pipe()
                child.input = pair.reading
                ends.append(pair.reading)
                input = Handle(pair.writing)
            }
            if outputs {
                let first = try pipe()
                let second = try pipe()
                child.output = first.writing
                child.errors = second.writing
                ends += [first.writing, second.writing]
                output = Handle(first.reading)
                errors = Handle(second.reading)
            }
        }
        for handle in [input, output, errors] { if let handle { Self.setNonblocking(handle.raw) } }
        self.child = child
        self.input = input
        self.output = output
        self.errors = errors
        childEnds = ends
    }

    static func setNonblocking(_ fd: Int32) {
        let flags = fcntl(fd, F_GETFL)
        if flags != -1 { _ = fcntl(fd, F_SETFL, flags | O_NONBLOCK) }
    }

    /// The supervisor's side, once the child has been forked.
    func closeChildEnds() { for fd in childEnds { close(fd) } }

    func give(to process: ManagedProcess) {
        process.input = input
        process.output = output
        process.errors = errors
    }
}
