import Synchronization

/// One flag that a Ctrl-C raises and every loop over bytes, layers and steps looks at.
package final class Cancellation: Sendable {
    private let raised = Atomic<Bool>(false)
    private let parent: Cancellation?

    /// The one that a signal to this process raises.
    package static let ofProcess = Cancellation()

    package init() { parent = nil }

    /// One that is also up when `parent` is: stops a part of the work without stopping the whole.
    package init(below parent: Cancellation) { self.parent = parent }

    package var isCancelled: Bool { raised.load(ordering: .relaxed) || parent?.isCancelled ?? false }

    package func cancel() { raised.store(true, ordering: .relaxed) }

    /// Lowers the flag, before the next command.
    package func reset() { raised.store(false, ordering: .relaxed) }

    /// Throws `cancelled` once the flag is up.
    package func check() throws(ShaleError) {
        if isCancelled { throw ShaleError(.cancelled, "interrupted") }
    }
}
