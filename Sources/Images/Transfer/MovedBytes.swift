import Basics
import Linux
import OCI

/// Counts the transferred bytes of several blobs, and reports the sum at intervals.
///
/// It can be used from any thread.
final class MovedBytes: Sendable {
    private struct State {
        var finished: Int64 = 0
        var underWay: [Digest: Int64] = [:]
        var told: Int64 = 0

        var moved: Int64 { underWay.values.reduce(finished) { $0.addingClamped($1) } }
    }

    /// The number of bytes between two reports.
    private static let reportEvery: Int64 = 256 << 10

    private let state = Condition(State())
    private let total: Int64
    private let tell: @Sendable (Int64) -> Void

    /// `tell` gets the number of bytes that have been transferred.
    init(of total: Int64, tell: @escaping @Sendable (Int64) -> Void) {
        self.total = total
        self.tell = tell
    }

    /// Sets how many bytes of a blob have been transferred.
    ///
    /// The number gets smaller when an attempt starts again.
    func moved(_ bytes: Int64, of blob: Descriptor) { update { $0.underWay[blob.digest] = bytes } }

    /// Adds to the number of transferred bytes of a blob.
    func more(_ bytes: Int64, of blob: Descriptor) {
        update { $0.underWay[blob.digest, default: 0] = ($0.underWay[blob.digest] ?? 0).addingClamped(bytes) }
    }

    /// Counts a blob as transferred, also when it was there before.
    func finish(_ blob: Descriptor) {
        update { state in
            state.underWay[blob.digest] = nil
            state.finished = state.finished.addingClamped(blob.size)
        }
    }

    private func update(_ change: (inout State) -> Void) {
        let due = state.update { state -> Int64? in
            change(&state)
            let moved = state.moved
            guard moved - state.told >= Self.reportEvery || moved == total || moved < state.told else { return nil }
            state.told = moved
            return moved
        }
        if let due { tell(due) }
    }
}
