package import Basics

/// The disk usage of a directory: the bytes of all files below it.
package struct DiskUsage: Sendable, Hashable {
    package var path: String
    /// The bytes of files.
    ///
    /// A file with several hard links counts once, at its first path.
    package var bytes: Int64
    /// The depth below the starting path, which has depth 0.
    package var depth: Int

    /// The usage of every directory, children before their parents, as `du` lists them.
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
