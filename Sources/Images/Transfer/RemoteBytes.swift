import Basics
import Glibc
import Linux
import OCI
import Registries

/// A blob in a registry, which is read while a thread downloads it, a little ahead of the reader.
///
/// When the reader goes back, because its own upload broke off, the rest is downloaded again.
final class RemoteBytes: BlobBytes {
    private let client: RegistryClient
    private let repository: Reference
    private let blob: Descriptor
    private let cancellation: Cancellation
    private var download: RemoteDownload?
    private var position: Int64 = 0

    init(_ blob: Descriptor, in repository: Reference, client: RegistryClient, cancellation: Cancellation) {
        self.blob = blob
        self.repository = repository
        self.client = client
        self.cancellation = cancellation
    }

    deinit { download?.end() }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        if download == nil || offset != position {
            download?.end()
            download = try RemoteDownload(
                blob, from: offset, in: repository, client: client, below: cancellation)
            position = offset
        }
        guard let count = try download?.read(into: buffer) else { return 0 }
        position += Int64(count)
        return count
    }
}

/// One download, from an offset on.
private final class RemoteDownload: Sendable {
    private struct State {
        var pieces: [[UInt8]] = []
        /// How many bytes of the first piece were read.
        var read = 0
        var waiting = 0
        var isOver = false
        var failure: ShaleError?
        var isEnded = false
    }

    /// How far the download may be ahead of its reader, in bytes.
    private static let ahead = 2 << 20
    private let state: Condition<State>
    private let thread: WorkerThread
    private let stopping: Cancellation

    init(
        _ blob: Descriptor, from offset: Int64, in repository: Reference, client: RegistryClient,
        below cancellation: Cancellation
    ) throws(ShaleError) {
        let state = Condition(State())
        let stopping = Cancellation(below: cancellation)
        self.state = state
        self.stopping = stopping
        thread = try WorkerThread {
            do throws(ShaleError) {
                try client.blob(blob, in: repository, offset: offset, cancellation: stopping) {
                    bytes throws(ShaleError) in
                    try Self.add(Array(bytes), to: state)
                }
                state.update { $0.isOver = true }
            } catch {
                state.update { ($0.isOver, $0.failure) = (true, error) }
            }
        }
    }

    private static func add(_ bytes: [UInt8], to state: Condition<State>) throws(ShaleError) {
        let isEnded = state.wait { state -> Bool? in
            if state.isEnded { return true }
            guard state.waiting < ahead else { return nil }
            return false
        }
        if isEnded { throw ShaleError(.cancelled, "interrupted") }
        state.update { state in
            state.pieces.append(bytes)
            state.waiting += bytes.count
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        let result: Result<Int, ShaleError> = state.wait { state in
            if let piece = state.pieces.first {
                let count = min(buffer.count, piece.count - state.read)
                piece.withUnsafeBytes {
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.read..<state.read + count]))
                }
                state.read += count
                state.waiting -= count
                if state.read == piece.count {
                    state.pieces.removeFirst()
                    state.read = 0
                }
                return .success(count)
            }
            if let failure = state.failure { return .failure(failure) }
            return state.isOver ? .success(0) : nil
        }
        // Wakes the download, which may wait until the reader has read.
        state.update { _ in }
        return try result.get()
    }

    /// Stops the download and waits for its thread.
    func end() {
        stopping.cancel()
        state.update { $0.isEnded = true }
        thread.join()
    }
}
