import Glibc
import Linux
import RunnerProtocol

/// What shells ask of a running container.
extension Supervisor {
    func acceptClients(at listener: Handle) {
        while let client = UnixSocket.accept(listener.raw) {
            let handle = Handle(client)
            if (try? UnixSocket.checkPeer(of: client)) != nil { clients.append(Client(handle)) }
        }
    }

    func receive(from client: Client) {
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

    func handleMessages(of client: Client) {
        do {
            while let message = try client.parser.next() { handle(message, from: client) }
        } catch {
            lose(client)
        }
    }

    func lose(_ client: Client) {
        // Nobody can type into it any more, and nobody can attach to it again.
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

    func handle(_ message: Message, from client: Client) {
        let process = client.process ?? first
        switch message {
        case .attach where isRestarting:
            client.conclude(
                .failed(
                    StepFailure(
                        step: "attach", errno: EBUSY,
                        words: "You cannot attach to a restarting container, wait until it is running")))
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
        case .keep:
            client.keepsContainer = true
            client.send(.ok)
        case .restart(let policy):
            schedule.plan = policy
            client.send(.ok)
        case .limits(let limits): setLimits(limits, for: client)
        case .status:
            let status = RunnerStatus(
                pid: first.exitCode == nil ? first.pid : 0, paused: isPaused, terminal: first.terminal != nil,
                execs: UInt32(processes.count { !$0.isFirst }))
            client.send(.state(status))
        default: lose(client)
        }
    }

    private func signal(_ number: Int32, _ process: ManagedProcess, from client: Client) {
        if process.isFirst, schedule.isEnding(number) { schedule.isCalledOff = true }
        var failed = false
        if process.isFirst, isRestarting {
            if schedule.isCalledOff { endForGood() }
        } else {
            failed = process.exitCode == nil && kill(process.pid, number) != 0
        }
        // A frozen process dies only when it thaws.
        if number == SIGKILL, process.isFirst, isPaused { _ = changePause(false) }
        guard client.process == nil else { return }
        client.send(failed ? .failed(StepFailure(step: "kill", path: String(number), errno: errno)) : .ok)
    }

    private func setPaused(_ pause: Bool, for client: Client) {
        client.send(changePause(pause) ? .ok : .failed(StepFailure(step: "pause", errno: EBUSY)))
    }

    private func setLimits(_ limits: CgroupPlan, for client: Client) {
        do throws(StepFailure) {
            try change(limits)
            client.send(.ok)
        } catch {
            client.send(.failed(error))
        }
    }
}
