package import Basics
import Synchronization

/// What an operation said, in order.
package final class RecordedOperation: Sendable {
    private let events = Mutex<[Progress]>([])
    package let cancellation = Cancellation()
    private let onEvent: @Sendable (Progress) -> Void

    package init(_ onEvent: @escaping @Sendable (Progress) -> Void = { _ in }) { self.onEvent = onEvent }

    package var context: OperationContext {
        OperationContext(cancellation: cancellation) { [self] event in
            events.withLock { $0.append(event) }
            onEvent(event)
        }
    }

    package var lines: [String] {
        events.withLock { $0 }.compactMap { if case .line(let text, _) = $0 { text } else { nil } }
    }

    package var notes: [String] {
        events.withLock { $0 }.compactMap { if case .note(let text, _) = $0 { text } else { nil } }
    }

    /// States of one item, or of all.
    package func states(of id: String? = nil) -> [String] {
        events.withLock { $0 }.compactMap { event in
            guard case .item(let item, let state) = event, id == nil || item == id else { return nil }
            return state
        }
    }
}
