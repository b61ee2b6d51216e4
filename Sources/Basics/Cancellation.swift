import Synchronization

/// One flag that a Ctrl-C raises and every loop over bytes, layers and steps looks at.
package final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)

    package init() {}

    package var isCancelled: Bool { raised.load(ordering: .relaxed) }

    package func cancel() { raised.store(true, ordering: .relaxed) }

    /// Throws `cancelled` once the flag is up.
    package func check() throws(ShaleError) {
        if isCancelled { throw ShaleError(.cancelled, "interrupted") }
    }
}
