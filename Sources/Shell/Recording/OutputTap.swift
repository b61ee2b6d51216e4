package import Basics
import Glibc
import Linux
package import Rendering
import Synchronization

/// Receives everything that shale shows, for recordings.
///
/// Called from any thread.
package final class OutputTap: Sendable {
    package enum Event: Sendable {
        case bytes([UInt8], Console.Stream, Console.Showing)
        /// A failure, before it was put into words for its place.
        case failure(ShaleError)
    }

    package typealias Listener = @Sendable (Event) -> Void

    private let listener = Mutex<Listener?>(nil)

    package init() {}

    package var isHeard: Bool { listener.withLock { $0 != nil } }

    /// Replaces the listener; returns the previous one.
    @discardableResult
    package func setListener(_ new: Listener?) -> Listener? {
        listener.withLock { listener in
            defer { listener = new }
            return listener
        }
    }

    package func hear(_ bytes: [UInt8], _ stream: Console.Stream, _ showing: Console.Showing = .text) {
        listener.withLock { $0 }?(.bytes(bytes, stream, showing))
    }

    func hear(_ error: ShaleError) { listener.withLock { $0 }?(.failure(error)) }
}

/// A pipe that takes what a host command prints, and shows it.
///
/// A program that the command left behind may hold the pipe open for ever: once the command has ended, it is read until
/// nothing comes for a moment.
final class HostOutput {
    /// What the reading thread and its owner share.
    private final class Reading: Sendable {
        private struct State {
            /// When the command ended, or when something came last after that.
            var quietSince: Double?
            /// Bytes that came after the command's end.
            var bytesAfter = 0
            var isHeld = false
        }

        /// So many seconds without output are enough.
        private static let moment = 0.5
        /// More than a pipe can hold: what comes after that many bytes is none of the command's own.
        private static let most = 1 << 20
        private let state = Mutex(State())

        var isHeld: Bool { state.withLock(\.isHeld) }

        func end() { state.withLock { $0.quietSince = ProgressView.monotonicSeconds() } }

        /// Whether to read no longer, though the pipe is still open; `count` bytes have come since the last question.
        func isOver(after count: Int) -> Bool {
            state.withLock { state in
                guard let since = state.quietSince else { return false }
                let now = ProgressView.monotonicSeconds()
                if count > 0 {
                    state.quietSince = now
                    state.bytesAfter += count
                }
                state.isHeld = state.bytesAfter > Self.most || (count == 0 && now - since > Self.moment)
                return state.isHeld
            }
        }
    }

    private let pipe: HostPipe
    private let thread: WorkerThread
    private let reading: Reading
    private var isFinished = false

    /// Milliseconds between two looks at whether the command has ended.
    private static let pause: Int32 = 50

    init(_ console: Console) throws(ShaleError) {
        let pipe = try HostPipe()
        self.pipe = pipe
        let end = pipe.readEnd
        let reading = Reading()
        self.reading = reading
        thread = try WorkerThread {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            var count = 0
            while !reading.isOver(after: count) {
                count = 0
                var waiting = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
                let ready = poll(&waiting, 1, Self.pause)
                if ready == 0 || (ready == -1 && errno == EINTR) { continue }
                let got = chunk.withUnsafeMutableBytes { read(end, $0.baseAddress, $0.count) }
                if got == -1, errno == EINTR { continue }
                guard got > 0 else { break }
                console.write(Array(chunk[..<got]), to: .output)
                count = got
            }
        }
    }

    var writeEnd: Int32 { pipe.writeEnd }

    /// Waits for a command that was started with the pipe, and for what it prints; returns its status.
    func wait(for command: HostCommand.Running) -> Int32 {
        pipe.closeWriteEnd()
        let status = command.wait()
        finish()
        return status
    }

    /// Whether a program that the command left behind still had the pipe when it was closed.
    var isHeld: Bool { reading.isHeld }

    /// To be called once no command writes any more.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        pipe.closeWriteEnd()
        reading.end()
        thread.join()
    }

    deinit { finish() }
}

extension ShellContext {
    /// Says that what a program prints, which a host command left behind, is not shown any more.
    func tellHeldOutput(of command: String) {
        guard heldOutputs == nil else {
            heldOutputs?.append(command)
            return
        }
        console.note("\(command.visible): a program that it started still runs; what that prints now is not shown")
    }
}
