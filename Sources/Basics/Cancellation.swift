import Glibc
import Synchronization

/// One flag that a Ctrl-C raises and every loop over bytes, layers and steps looks at.
package final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)
    private let parent: Cancellation?
    /// When it is up by itself, in seconds of the monotonic clock.
    private let deadline: Double?

    /// The one that a signal to this process raises.
    package static let ofProcess = Cancellation()

    package init() { (parent, deadline) = (nil, nil) }

    /// One that is also up when `parent` is: stops a part of the work without stopping the whole.
    package init(below parent: Cancellation) { (self.parent, deadline) = (parent, nil) }

    /// One that is up after so many seconds: for what may be tidied up and must not be waited for.
    package init(afterSeconds seconds: Double) {
        (parent, deadline) = (nil, Self.now + seconds)
    }

    package var isCancelled: Bool {
        if raised.load(ordering: .relaxed) || parent?.isCancelled ?? false { return true }
        return deadline.map { Self.now >= $0 } ?? false
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package func cancel() { raised.store(true, ordering: .relaxed) }

    /// Lowers the flag, before the next command.
    package func reset() { raised.store(false, ordering: .relaxed) }

    /// Throws `cancelled` once the flag is up.
    package func check() throws(ShaleError) {
        if isCancelled { throw ShaleError(.cancelled, "interrupted") }
    }
}
