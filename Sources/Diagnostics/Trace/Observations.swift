import Basics
import Logging
import Synchronization

/// Listens to ``Observer`` for the log, where that keeps details, and for a trace under way.
package enum Observations {
    private struct Listener: Observer.Listener {
        func ended(_ span: Observer.Span) {
            SpanRecorder.current?.add(span)
            // Requests have lines of their own, with more in them.
            guard Log.keepsSpans, span.subject != .registry else { return }
            let milliseconds = Double(span.end - span.begin) / 1e6
            Observations.logger(span.subject).debug(
                "\(span.what)", metadata: ["ms": "\(Milliseconds.text(milliseconds))"])
        }

        func noted(_ subject: Observer.Subject, _ what: String) {
            guard Log.keepsSpans else { return }
            Observations.logger(subject).debug("\(what)")
        }
    }

    private static let loggers: [Observer.Subject: Logger] = Dictionary(
        uniqueKeysWithValues: Observer.Subject.allCases.map { ($0, Logger($0)) })

    private static func logger(_ subject: Observer.Subject) -> Logger { loggers[subject] ?? Logger(subject) }

    /// Listens only when the log or a trace needs it.
    static func update() {
        Observer.listen(Log.keepsSpans || SpanRecorder.current != nil ? Listener() : nil)
    }
}

/// Milliseconds as they are shown: three digits behind the point below ten, fewer above.
package enum Milliseconds {
    /// From a moment of ``SteadyTime`` to now.
    package static func text(since begin: UInt64) -> String {
        text(Double(max(SteadyTime.now(), begin) - begin) / 1e6)
    }

    package static func text(_ value: Double) -> String {
        let digits = value < 10 ? 3 : value < 1000 ? 1 : 0
        let scale = [1.0, 10, 100, 1000][digits]
        let scaled = (min(max(value, 0), 1e12) * scale).rounded()
        let whole = Int64(scaled / scale)
        guard digits > 0 else { return String(whole) }
        let fraction = String(Int64(scaled) - whole * Int64(scale))
        return "\(whole).\(String(repeating: "0", count: max(0, digits - fraction.count)))\(fraction)"
    }
}
