package import Basics

/// How much the files below each directory hold.
package struct DiskUsage: Sendable, Hashable {
    package var path: String
    /// Bytes of files; those with several names count once, at the first.
    package var bytes: Int64
    /// How far below the place asked for; 0 is the place itself.
    package var depth: Int

    /// A line for every directory, what is in a directory before it, as `du` has them.
    ///
    /// Throws `notFound` when the path is not there, `cancelled` when it is stopped, and what reading the layers
    /// throws.
    package static func measure(
        _ view: PlaceView, from path: String, _ cancellation: Cancellation
    ) throws(ShaleError) -> [DiskUsage] {
        let top = try view.require(path)
        var done: [DiskUsage] = []
        var open: [DiskUsage] = []
        var seen: Set<String> = []
        func close() {
            guard let last = open.popLast() else { return }
            done.append(last)
            if !open.isEmpty { open[open.count - 1].bytes &+= last.bytes }
        }
        try view.walk(top, cancellation) { entry throws(ShaleError) in
            while let last = open.last, !entry.path.isBelow(last.path) { close() }
            var bytes = entry.storedSize
            if let identity = entry.identity, !seen.insert(identity).inserted { bytes = 0 }
            if entry.kind == .directory || open.isEmpty {
                open.append(DiskUsage(path: entry.path, bytes: bytes, depth: open.count))
            } else {
                open[open.count - 1].bytes &+= bytes
            }
            return true
        }
        while !open.isEmpty { close() }
        return done
    }
}
