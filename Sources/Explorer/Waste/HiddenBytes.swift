package import Basics

/// Bytes of one layer that another layer hides.
///
/// Joining their two instructions would save them.
package struct HiddenBytes: Sendable, Hashable {
    package var maker: Int
    package var hider: Int
    package var bytes: Int64
    /// The hidden paths, the largest first.
    package var paths: [String]

    /// All pairs of layers with hidden bytes, the largest first.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the layers' indexes throws.
    package static func pairs(
        _ layers: ImageLayers, _ cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> [HiddenBytes] {
        var found: [Pair: (bytes: Int64, paths: [(path: String, bytes: Int64)])] = [:]
        _ = try MergedIndex(layers) { number, changes in
            for change in changes {
                for (maker, bytes) in change.hidden where bytes > 0 {
                    let pair = Pair(maker: maker, hider: number)
                    found[pair, default: (0, [])].bytes &+= bytes
                    found[pair]?.paths.append((change.path, bytes))
                }
            }
        }
        try cancellation.check()
        let pairs = found.map { pair, waste in
            HiddenBytes(
                maker: pair.maker, hider: pair.hider, bytes: waste.bytes,
                paths: waste.paths.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.map(\.path))
        }
        return pairs.sorted { ($1.bytes, $0.maker, $0.hider) < ($0.bytes, $1.maker, $1.hider) }
    }

    private struct Pair: Hashable {
        var maker: Int
        var hider: Int
    }
}
