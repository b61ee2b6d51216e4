import Basics
import Linux
import OCI
import Stores

/// Which layers of an image are unpacked.
///
/// Layers that need files of lower layers wait for them here.
final class LayerStack: Sendable {
    private struct State {
        var finished: Set<Int> = []
        var failure: ShaleError?
    }

    private let store: Store
    private let diffIDs: [Digest]
    private let state = Condition(State())

    init(store: Store, diffIDs: [Digest]) {
        self.store = store
        self.diffIDs = diffIDs
    }

    /// Calls a function for each missing layer, several at the same time.
    ///
    /// When it fails for one, layers that wait for this layer stop.
    func fill<Layer: Sendable>(
        _ missing: [Layer], at position: @escaping @Sendable (Layer) -> Int, limit: Int = ImageLimits.transfers,
        stopping: Cancellation, _ body: @escaping @Sendable (Layer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try Workers.forEach(missing, limit: limit, stopping: stopping) { layer throws(ShaleError) in
            do throws(ShaleError) {
                try body(layer)
            } catch {
                self.fail(error)
                throw error
            }
            self.finished(position(layer))
        }
    }

    func finished(_ position: Int) { state.update { _ = $0.finished.insert(position) } }

    /// Notes that a layer failed.
    ///
    /// Threads that wait for it stop.
    private func fail(_ error: ShaleError) { state.update { $0.failure = $0.failure ?? error } }

    /// Waits until all layers below a position are unpacked, and opens them, the top first.
    func lowers(of position: Int) throws(ShaleError) -> [RootDirectory] {
        let failure: ShaleError?? = state.wait { state in
            if let failure = state.failure { return .some(failure) }
            return (0..<position).allSatisfy { state.finished.contains($0) } ? .some(nil) : nil
        }
        if case .some(.some(let error)) = failure { throw error }
        var directories: [RootDirectory] = []
        for lower in (0..<position).reversed() {
            directories.append(
                try store.layers.directory(diffIDs[lower], on: Digest.chainID(diffIDs[..<lower])))
        }
        return directories
    }
}
