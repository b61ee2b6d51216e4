import Basics
import Linux
import OCI

/// How many bytes of some blobs have moved, told now and then and not at every piece.
///
/// From any thread.
final class MovedBytes: Sendable {
    private struct State {
        var finished: Int64 = 0
        var underWay: [Digest: Int64] = [:]
        var told: Int64 = 0

        var moved: Int64 { underWay.values.reduce(finished) { $0.addingClamped($1) } }
    }

    /// How many bytes move between two reports.
    private static let reportEvery: Int64 = 256 << 10

    private let state = Condition(State())
    private let total: Int64
    private let tell: @Sendable (Int64) -> Void

    /// `tell` is given how many of all bytes have moved.
    init(of total: Int64, tell: @escaping @Sendable (Int64) -> Void) {
        self.total = total
        self.tell = tell
    }

    /// So many bytes of a blob have moved; fewer than before where an attempt begins anew.
    func moved(_ bytes: Int64, of blob: Descriptor) { update { $0.underWay[blob.digest] = bytes } }

    /// More bytes of a blob have moved.
    func more(_ bytes: Int64, of blob: Descriptor) {
        update { $0.underWay[blob.digest, default: 0] = ($0.underWay[blob.digest] ?? 0).addingClamped(bytes) }
    }

    /// A blob is there, whichever way.
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
