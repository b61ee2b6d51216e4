import Basics
import Glibc
import Synchronization

/// Ctrl-C while a command runs: the first stops it gracefully, a second within two seconds ends the process.
enum Interrupt {
    static let flag = Cancellation.ofProcess
    private static let last = Atomic<Int>(0)
    private static let signal = Atomic<Int32>(SIGINT)

    /// What a command ends with that a signal stopped: 130 for SIGINT, 143 for SIGTERM.
    static var status: Int32 { 128 + signal.load(ordering: .relaxed) }

    /// Begins to catch SIGINT and SIGTERM.
    static func watch() {
        _ = flag.isCancelled
        _ = last.load(ordering: .relaxed)
        _ = status
        Glibc.signal(SIGINT) { _ in
            let now = time(nil)
            // A second one soon after the first ends the process.
            if Interrupt.flag.isCancelled, now - Interrupt.last.load(ordering: .relaxed) <= 2 { _exit(130) }
            Interrupt.last.store(now, ordering: .relaxed)
            Interrupt.signal.store(SIGINT, ordering: .relaxed)
            Interrupt.flag.cancel()
        }
        Glibc.signal(SIGTERM) { _ in
            if Interrupt.flag.isCancelled { _exit(143) }
            Interrupt.signal.store(SIGTERM, ordering: .relaxed)
            Interrupt.flag.cancel()
        }
    }
}
