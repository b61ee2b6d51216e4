package import Basics
import Glibc

/// Does something once when a flag is raised, from a thread of its own, until it is ended.
package final class CancellationWatch: Sendable {
    /// Milliseconds between two looks at the flag.
    private static let interval: Int32 = 50
    private let wakeUp: [Int32]
    private let thread: WorkerThread

    /// Begins to watch; `body` may be called from here on.
    ///
    /// Throws `unavailable` when the host has no thread or descriptor left.
    package init(_ cancellation: Cancellation, _ body: @escaping @Sendable () -> Void) throws(ShaleError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemCallError("pipe").shaleError("watching for an interruption") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let readEnd = ends[0]
        wakeUp = ends
        thread = try WorkerThread {
            var poller = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            while poll(&poller, 1, CancellationWatch.interval) <= 0 {
                guard cancellation.isCancelled else { continue }
                body()
                return
            }
        }
    }

    /// Ends the watch; `body` is not called afterwards.
    package func end() {
        var byte: UInt8 = 0
        _ = write(wakeUp[1], &byte, 1)
        thread.join()
        for end in wakeUp { close(end) }
    }
}
