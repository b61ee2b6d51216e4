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
final class HostOutput {
    private let pipe: HostPipe
    private let thread: WorkerThread
    private var isFinished = false

    init(_ console: Console) throws(ShaleError) {
        let pipe = try HostPipe()
        self.pipe = pipe
        let end = pipe.readEnd
        thread = try WorkerThread {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = chunk.withUnsafeMutableBytes { read(end, $0.baseAddress, $0.count) }
                if count == -1, errno == EINTR { continue }
                guard count > 0 else { break }
                console.write(Array(chunk[..<count]), to: .output)
            }
        }
    }

    var writeEnd: Int32 { pipe.writeEnd }

    /// Waits until the host command has closed its end; call it once it was started.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        pipe.closeWriteEnd()
        thread.join()
    }

    deinit { finish() }
}
