package import Basics
import Synchronization

/// Keeps what was measured while a command is traced.
package final class SpanRecorder: Sendable {
    private static let recorder = Mutex<SpanRecorder?>(nil)
    /// The one of the trace under way.
    package static var current: SpanRecorder? { recorder.withLock { $0 } }

    private let begin: UInt64
    private let lane: UInt
    private let spans = Mutex<[Observer.Span]>([])
    /// The most spans that are kept; the time of further ones counts as unaccounted.
    private static let most = 100_000

    /// `begin` in nanoseconds of ``SteadyTime``.
    private init(begin: UInt64) {
        self.begin = begin
        lane = Observer.lane
    }

    /// Begins a trace at a moment that may be past; where one is under way it goes on.
    package static func start(at begin: UInt64 = SteadyTime.now()) -> SpanRecorder {
        let current = recorder.withLock { recorder in
            let current = recorder ?? SpanRecorder(begin: begin)
            recorder = current
            return current
        }
        Observations.update()
        return current
    }

    /// Ends the trace under way; returns where the time went.
    package func finish() -> SpanTree {
        Self.recorder.withLock { $0 = nil }
        Observations.update()
        return SpanTree(spans.withLock { $0 }, begin: begin, end: SteadyTime.now(), lane: lane)
    }

    package func add(_ span: Observer.Span) {
        spans.withLock { spans in
            if spans.count < Self.most { spans.append(span) }
        }
    }
}
