import Basics
import Glibc
import Linux
import RunnerProtocol

/// When the container's health check is due, and what came of the last ones: docker's rules.
final class HealthMonitor {
    private static let kept = 5
    static let outputLimit = 4096

    let plan: HealthPlan
    private let started = SteadyClock.milliseconds
    /// For the state file.
    private(set) var state = HealthState(.starting)
    private var due: Int64
    private var deadline: Int64 = 0
    private var begun = Timestamp.epoch
    private var begunAt: Int64 = 0
    /// The check that runs now.
    private(set) var process: ManagedProcess?
    private var isOverdue = false

    init(_ plan: HealthPlan) {
        self.plan = plan
        due = 0
        due = started + pause(at: started)
    }

    private func pause(at now: Int64) -> Int64 {
        state.status == .starting && now - started < plan.startPeriod
            ? min(plan.startInterval, plan.interval) : plan.interval
    }

    /// Milliseconds until something is to be done.
    var wait: Int32 {
        let next = process == nil ? due : isOverdue ? Int64.max : deadline
        return Int32(clamping: max(0, next &- SteadyClock.milliseconds))
    }

    var isDue: Bool { process == nil && SteadyClock.milliseconds >= due }

    /// Skips this check, because the container is paused.
    func postpone() { due = SteadyClock.milliseconds + pause(at: SteadyClock.milliseconds) }

    /// A check was started; its output is captured by the process.
    func began(_ process: ManagedProcess) {
        self.process = process
        begun = .now()
        begunAt = SteadyClock.milliseconds
        deadline = begunAt + plan.timeout
        isOverdue = false
    }

    /// Kills a check that takes too long.
    func enforceTimeout() {
        guard let process, !isOverdue, SteadyClock.milliseconds >= deadline else { return }
        isOverdue = true
        kill(process.pid, SIGKILL)
    }

    /// The check's end.
    func ended(_ code: Int32) {
        let text = process?.captured ?? []
        if isOverdue {
            note(-1, Array("Health check exceeded timeout (\(timeoutWords))".utf8) + text, start: begun, at: begunAt)
        } else {
            note(code, text, start: begun, at: begunAt)
        }
    }

    /// As Go writes a span of time.
    private var timeoutWords: String {
        if plan.timeout < 1000 { return "\(plan.timeout)ms" }
        return plan.timeout % 1000 == 0 ? "\(plan.timeout / 1000)s" : "\(Double(plan.timeout) / 1000)s"
    }

    /// A check that could not be started at all.
    func failedToStart(_ words: String) {
        note(-1, Array(words.utf8), start: .now(), at: SteadyClock.milliseconds)
    }

    private func note(_ code: Int32, _ output: [UInt8], start: Timestamp, at moment: Int64) {
        state.probes.append(
            HealthState.Probe(start: start, end: .now(), exitCode: code, output: Self.text(of: output)))
        if state.probes.count > Self.kept { state.probes.removeFirst() }
        if code == 0 {
            state.failures = 0
            state.status = .healthy
        } else if !(state.status == .starting && moment - started < plan.startPeriod) {
            state.failures += 1
            if state.failures >= plan.retries { state.status = .unhealthy }
        }
        process = nil
        isOverdue = false
        postpone()
    }

    /// The first 4096 bytes as text; each byte that is not part of valid UTF-8 becomes U+FFFD, as Go's encoder does it.
    private static func text(of output: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(pathBytes: output.prefix(outputLimit)).unicodeScalars {
            text.append(OddByte.byte(of: scalar) == nil ? scalar : "\u{FFFD}")
        }
        return String(text)
    }
}

extension Supervisor {
    /// Starts the check that is due, and ends the one that takes too long.
    func tendHealth() {
        guard let health, first.exitCode == nil else { return }
        health.enforceTimeout()
        guard health.isDue else { return }
        guard !isPaused else {
            health.postpone()
            return
        }
        do throws(StepFailure) {
            let process = try ExecStart(
                plan: plan, process: health.plan.process, container: first.pid, cgroup: cgroup
            ).run(input: false, outputs: true)
            process.captured = []
            health.began(process)
            add(process)
        } catch {
            health.failedToStart(error.words.isEmpty ? "\(error.step) \(error.path)" : error.words)
            noteHealth()
        }
    }
}
