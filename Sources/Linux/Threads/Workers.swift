package import Basics
import Glibc

/// A thread that is joined by the one who started it.
package final class WorkerThread: @unchecked Sendable {
    // Unchecked: `handle` is written once before `init` returns and read by `join` alone.
    private var handle = pthread_t()
    private var isJoined = false

    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts at once.
    ///
    /// All signals are blocked in it: they are the main thread's to answer.
    ///
    /// Throws `unavailable` when the host has no thread left.
    package init(_ body: @escaping @Sendable () -> Void) throws(ShaleError) {
        let start = Unmanaged.passRetained(Start(body))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw ShaleError(.unavailable, "starting a thread", cause: SystemCallError.words(of: code))
        }
    }

    /// Waits for its end; call it once, from the thread that started it.
    package func join() {
        guard !isJoined else { return }
        isJoined = true
        pthread_join(handle, nil)
    }
}

/// Work on many items by a few threads.
package enum Workers {
    private struct Queue {
        var next = 0
        var failure: ShaleError?
    }

    /// How many processors this process may use, at least one.
    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `body` for each item, at most `limit` at once, started in order; returns when all have ended.
    ///
    /// The first failure wins: items not yet begun are left, and `cancellation` is raised for those that run. Throws
    /// the first failure of `body`, and `cancelled` when it is stopped.
    package static func forEach<Item: Sendable>(
        _ items: [Item], limit: Int, stopping cancellation: Cancellation,
        _ body: @escaping @Sendable (Item) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard items.count > 1, limit > 1 else {
            for item in items {
                try cancellation.check()
                try body(item)
            }
            return
        }
        let queue = Condition(Queue())
        let work: @Sendable () -> Void = {
            while let item = take(from: items, queue) {
                do throws(ShaleError) {
                    try cancellation.check()
                    try body(item)
                } catch {
                    queue.update { $0.failure = $0.failure ?? error }
                    cancellation.cancel()
                }
            }
        }
        var threads: [WorkerThread] = []
        var refused: ShaleError?
        for _ in 0..<min(limit, items.count) {
            do throws(ShaleError) { threads.append(try WorkerThread(work)) } catch { refused = error }
        }
        if threads.isEmpty, let refused { throw refused }
        for thread in threads { thread.join() }
        if let failure = queue.read({ $0.failure }) { throw failure }
    }

    private static func take<Item>(from items: [Item], _ queue: Condition<Queue>) -> Item? {
        queue.update { queue in
            guard queue.failure == nil, queue.next < items.count else { return nil }
            queue.next += 1
            return items[queue.next - 1]
        }
    }
}
