import Basics
import Glibc
import Layers
import Linux

/// The current size of a growing file, which its writer reports to its reader.
final class Growth: Sendable {
    private enum End {
        case none
        case complete
        case failed(ShaleError)
    }

    private struct State {
        var length: Int64 = 0
        var end = End.none
    }

    private let state = Condition(State())

    /// Reports how many bytes the file has now.
    ///
    /// Called by the writer.
    func reached(_ length: Int64) { state.update { $0.length = max($0.length, length) } }

    /// Reports that all bytes are written.
    func finish() { state.update { if case .none = $0.end { $0.end = .complete } } }

    /// Reports that the download failed.
    ///
    /// The reader gets this error.
    func fail(_ error: ShaleError) { state.update { if case .none = $0.end { $0.end = .failed(error) } } }

    /// Whether all bytes are written.
    var isComplete: Bool { state.read { if case .complete = $0.end { true } else { false } } }

    /// Waits for bytes after a position, and returns their number; 0 at the end.
    func available(past position: Int64) throws(ShaleError) -> Int64 {
        let answer: Result<Int64, ShaleError> = state.wait { state in
            if state.length > position { return .success(state.length - position) }
            switch state.end {
            case .none: return nil
            case .complete: return .success(0)
            case .failed(let error): return .failure(error)
            }
        }
        return try answer.get()
    }
}

/// A file that the unpacking of a layer reads while the download writes it.
///
/// After a resumed download the bytes of the earlier attempt can be read at once.
final class GrowingFile: ByteSource {
    private let file: OwnedFD
    private let growth: Growth
    private let reached: (Int64) -> Void
    private var position: Int64 = 0

    /// Reads `file`, whose writer reports to `growth`.
    ///
    /// `reached` is called with the reader's position.
    init(_ file: consuming OwnedFD, growth: Growth, reached: @escaping (Int64) -> Void = { _ in }) {
        self.file = file
        self.growth = growth
        self.reached = reached
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        let ready = try growth.available(past: position)
        let count = min(Int(clamping: ready), buffer.count)
        guard count > 0 else { return 0 }
        do throws(SystemCallError) {
            let done = try checkLength("read") { pread(file.raw, buffer.baseAddress, count, off_t(position)) }
            guard done > 0 else { throw SystemCallError("read", errno: EIO) }
            position += Int64(done)
            reached(position)
            return done
        } catch {
            throw error.shaleError("unfinished download")
        }
    }
}
