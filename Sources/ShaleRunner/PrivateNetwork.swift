import Glibc
import Linux
import RunnerProtocol

/// The container's network to outside: a `slirp4netns` process, which also listens on the host's ports.
///
/// It ends with this object, and when the supervisor is killed: it watches a pipe whose other end is here.
final class PrivateNetwork {
    private static let socketName = "network.sock"
    private static let patience: Int64 = 10_000
    /// What its descriptors are called in the program.
    private enum Number {
        static let ready: Int32 = 3
        static let exit: Int32 = 4
        static let folder: Int32 = 5
    }

    private let plan: NetworkPlan
    private let folderPath: String
    private(set) var ports: [PortBinding] = []
    private var pid: Int32 = -1
    private var lifeline: Handle?

    /// Starts the program and waits until the namespace of `container` has its interface and the host its ports.
    init(_ plan: NetworkPlan, folder: borrowing OwnedFD, path: String, container: Int32) throws(StepFailure) {
        self.plan = plan
        folderPath = path
        let ready = try step("pipe") { () throws(SystemCallError) in try PipeEnds.descriptors() }
        let life = try step("pipe") { () throws(SystemCallError) in try PipeEnds.descriptors() }
        lifeline = Handle(life.writing)
        let readyEnd = Handle(ready.reading)
        // The program's error output, for when it fails.
        let log = (try? OwnedFD.open(path + "/network.log", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW))?.release() ?? -1
        pid = try step("fork") { () throws(SystemCallError) in try ProcessCalls.fork() }
        if pid == 0 {
            Self.become(
                plan.program, container: container,
                descriptors: (ready.writing, life.reading, folder.raw, log))
        }
        close(ready.writing)
        close(life.reading)
        if log >= 0 { close(log) }
        try waitUntilReady(readyEnd)
        for port in plan.ports { ports.append(try publish(port, in: path)) }
        _ = unlinkat(folder.raw, Self.socketName, 0)
    }

    deinit { end() }

    /// Ends the program; the host's ports are free again when this comes back.
    func end() {
        lifeline = nil
        guard pid > 0 else { return }
        // It has no state to save. When it was reaped already, it is not killed: another process may have its pid.
        if waitpid(pid, nil, WNOHANG) == 0 {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        pid = -1
        unlink(folderPath + "/" + Self.socketName)
    }

    /// Whether a child that was reaped is this network's program.
    func isProgram(_ child: Int32) -> Bool { child == pid }

    /// The program has ended by itself: the namespace has no network to outside any more.
    func hasEnded() { pid = -1 }

    // MARK: The program

    private typealias Descriptors = (ready: Int32, exit: Int32, folder: Int32, log: Int32)

    private static func become(_ program: String, container: Int32, descriptors: Descriptors) -> Never {
        ProcessCalls.resetSignals()
        try? ProcessCalls.dieWithParent()
        // Above the numbers they get, so that none covers another.
        let high = [descriptors.ready, descriptors.exit, descriptors.folder].map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        let log = descriptors.log >= 0 ? fcntl(descriptors.log, F_DUPFD_CLOEXEC, 16) : null
        for (fd, number) in [
            (null, 0), (null, 1), (log, 2), (high[0], Number.ready), (high[1], Number.exit), (high[2], Number.folder),
        ] { try? ProcessCalls.place(fd, at: number) }
        ProcessCalls.closeOnExec(from: Number.folder + 1)
        // Its sandbox unmounts the tree that it leaves: where mounts are shared, as systemd's are, the host's too.
        do throws(SystemCallError) {
            try Namespaces.unshare(.mount)
            try Mounts.mount(target: "/", flags: [.private, .recursive])
        } catch {
            try? OwnedFD(adopting: 2).write(Array("\(error)\n".utf8))
            _exit(127)
        }
        let arguments = [
            program, "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-sandbox", "--enable-seccomp",
            "--ready-fd=\(Number.ready)", "--exit-fd=\(Number.exit)",
            "--api-socket=/proc/self/fd/\(Number.folder)/\(socketName)", "--netns-type=path",
            "/proc/\(container)/ns/net", "tap0",
        ]
        _ = ProcessCalls.execute(program, arguments: arguments, environment: RunnerProgram.ownEnvironment())
        _exit(127)
    }

    private func waitUntilReady(_ ready: Handle) throws(StepFailure) {
        var byte: UInt8 = 0
        let events = Poller.wait(for: ready.raw, events: .input, milliseconds: Int32(Self.patience))
        guard events.contains(.input), read(ready.raw, &byte, 1) == 1 else {
            let reason = logged() ?? "\(plan.program) does not get ready"
            end()
            throw StepFailure(step: "network", words: "private network: \(reason)")
        }
    }

    /// The last error message of the program.
    private func logged() -> String? {
        guard let bytes = try? WholeFile.read(folderPath + "/network.log", limit: 64 << 10) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let telling = lines.filter { line in
            !line.hasPrefix("sent ") && !line.hasPrefix("received ") && !line.hasPrefix("* ")
                && !line.contains(" failed;")
        }
        return (telling.first ?? lines.first).map { $0.hasPrefix("WARNING: ") ? String($0.dropFirst(9)) : $0 }
    }

    // MARK: Ports

    private func publish(_ port: PortPlan, in folder: String) throws(StepFailure) -> PortBinding {
        var last = StepFailure(step: "network", path: Self.place(port, port.firstHostPort), errno: EADDRINUSE)
        // A port the kernel chose may be taken by another before it is listened on: then the next one.
        let candidates =
            port.firstHostPort == 0 ? [UInt16](repeating: 0, count: 16) : Array(port.firstHostPort...port.lastHostPort)
        for candidate in candidates {
            do throws(SystemCallError) {
                let free = try HostPort.probe(
                    address: port.hostAddress, port: candidate, datagram: port.proto == "udp")
                if ask(forwarding: port, from: free, in: folder) {
                    return PortBinding(
                        proto: port.proto, hostAddress: port.hostAddress, hostPort: free,
                        containerPort: port.containerPort)
                }
            } catch {
                last = Self.refusal(port, candidate, error)
                if error.errno != EADDRINUSE { throw last }
            }
        }
        if last.words.isEmpty {
            last.words = "driver failed programming external connectivity: \(last.path): \(plan.program) refuses it"
        }
        throw last
    }

    private static func place(_ port: PortPlan, _ number: UInt16) -> String { "\(port.hostAddress):\(number)" }

    private static func refusal(_ port: PortPlan, _ number: UInt16, _ error: SystemCallError) -> StepFailure {
        let place = place(port, number)
        return StepFailure(
            step: "network", path: place, errno: error.errno,
            words: "driver failed programming external connectivity: listen \(port.proto)4 \(place): bind: "
                + error.reason)
    }

    private func ask(forwarding port: PortPlan, from hostPort: UInt16, in folder: String) -> Bool {
        let request =
            "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"\(port.proto)\",\"host_addr\":\"\(port.hostAddress)\","
            + "\"host_port\":\(hostPort),\"guest_port\":\(port.containerPort)}}"
        guard let socket = try? UnixSocket.connect(in: folder, name: Self.socketName),
            (try? UnixSocket.send(Array(request.utf8), to: socket.raw)) != nil
        else { return false }
        shutdown(socket.raw, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let deadline = SteadyClock.milliseconds + Self.patience
        while answer.count < 64 << 10 {
            let rest = Int32(clamping: deadline - SteadyClock.milliseconds)
            guard rest > 0, !Poller.wait(for: socket.raw, events: .input, milliseconds: rest).isEmpty else { break }
            let count = read(socket.raw, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self).contains("\"return\"")
    }
}
