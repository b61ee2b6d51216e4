import Glibc
import RunnerProtocol

/// Whether a program that ended is started again, and after which pause: docker's rules.
struct RestartSchedule {
    /// Milliseconds.
    private static let shortestPause: Int64 = 100
    private static let longestPause: Int64 = 60_000
    /// A program that ran this long ended for another reason than the last time.
    private static let stableTime: Int64 = 10_000

    var plan: RestartPlan?
    /// How often it was started again.
    private(set) var count: Int32 = 0
    /// Whether it has been stopped by hand.
    var isCalledOff = false
    private var pause: Int64 = 0

    init(_ plan: RestartPlan?) { self.plan = plan }

    /// Milliseconds until it is to be started again, `nil` for never.
    mutating func pause(afterExit code: Int32, ranFor time: Int64) -> Int64? {
        guard let plan, !isCalledOff else { return nil }
        guard plan.always || (code != 0 && (plan.limit == 0 || count < plan.limit)) else { return nil }
        pause =
            time >= Self.stableTime ? Self.shortestPause : min(max(pause * 2, Self.shortestPause), Self.longestPause)
        count += 1
        return pause
    }

    /// Whether whoever sends this signal wants it to end, not to read its settings anew.
    func isEnding(_ signal: Int32) -> Bool {
        [SIGKILL, SIGTERM, SIGINT, SIGQUIT].contains(signal) || signal == plan?.stopSignal
    }
}
