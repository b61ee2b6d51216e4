import Basics
import Glibc

/// A ring of four buffers between a writing and a reading thread.
final class BufferRing: @unchecked Sendable {
    /// The size of one buffer, in bytes: so large that switching costs little, and so small that it stays in the CPU
    /// cache.
    static let bufferSize = 256 << 10
    private static let count = 4

    private struct State {
        var filled: [(index: Int, count: Int)] = []
        var free = Array(0..<BufferRing.count)
        var isFinished = false
        var isStopped = false
        var error: ShaleError?
    }

    private let buffers: [UnsafeMutableRawBufferPointer]
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Guarded by `mutex`.
    private var state = State()
    /// The buffer that the reader uses.
    ///
    /// Only the reader accesses this member.
    private var reading: Int?

    init() {
        buffers = (0..<Self.count).map { _ in .allocate(byteCount: Self.bufferSize, alignment: 4096) }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` while the mutex is locked.
    ///
    /// `body` reads and writes the members of `state` separately. With one `inout` access across a wait the compiler
    /// could keep old values of members that the other thread changes.
    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    // MARK: The thread that fills

    /// Waits for a buffer to fill; `nil` when the reader has stopped.
    func takeFree() -> (index: Int, buffer: UnsafeMutableRawBufferPointer)? {
        locked {
            while state.free.isEmpty && !state.isStopped { pthread_cond_wait(changed, mutex) }
            guard !state.isStopped, let index = state.free.popLast() else { return nil }
            return (index, buffers[index])
        }
    }

    /// Passes a filled buffer to the reader.
    func publish(_ index: Int, count: Int) {
        locked {
            state.filled.append((index, count))
            pthread_cond_broadcast(changed)
        }
    }

    /// Marks the end of the data; with an error when there was one.
    func finish(_ error: ShaleError?) {
        locked {
            state.isFinished = true
            state.error = error
            pthread_cond_broadcast(changed)
        }
    }

    var isStopped: Bool { locked { state.isStopped } }

    // MARK: The thread that empties

    /// The next bytes, valid until the next call; `nil` at the end.
    func next() throws(ShaleError) -> UnsafeRawBufferPointer? {
        let (found, error) = locked { () -> ((index: Int, count: Int)?, ShaleError?) in
            if let reading {
                state.free.append(reading)
                pthread_cond_broadcast(changed)
            }
            while state.filled.isEmpty && !state.isFinished { pthread_cond_wait(changed, mutex) }
            guard !state.filled.isEmpty else { return (nil, state.error) }
            return (state.filled.removeFirst(), nil)
        }
        reading = found?.index
        if let error { throw error }
        return found.map { UnsafeRawBufferPointer(rebasing: buffers[$0.index][..<$0.count]) }
    }

    /// Makes the writing thread end.
    func stop() {
        locked {
            state.isStopped = true
            pthread_cond_broadcast(changed)
        }
    }
}
