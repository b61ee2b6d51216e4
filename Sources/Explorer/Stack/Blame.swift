package import Basics
import Layers
import OCI

/// What a layer did to a path.
package struct BlameLine: Sendable, Hashable {
    package enum Event: String, Sendable, Hashable {
        case made, changed
        /// Written again without a difference.
        case rewritten
        case removed
    }

    package var layer: Int
    package var event: Event
    package var instruction: String
    /// The instruction's first line.
    package var headline: String
    /// The path that changed: the path itself, or the directory with which it was removed.
    package var path: String
    package var kind: String
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var size: Int64
    /// The attributes that differ, for a change.
    package var reasons: [String]
    package var digest: String?
}

/// Finds the layers that made, changed and removed a path.
package struct Blame {
    private let layers: ImageLayers

    package init(layers: ImageLayers) { self.layers = layers }

    /// The history of a path, lowest layer first; empty for a path that no layer has.
    ///
    /// `path` must be clean and without links.
    ///
    /// Throws what reading the layers' indexes throws.
    package func story(of path: String) throws(ShaleError) -> [BlameLine] {
        var story: [BlameLine] = []
        var current: LayerEntry?
        for layer in layers.layers {
            let index = try layers.index(layer.number)
            if let entry = index[path], entry.kind != .whiteout, !entry.isCopiedUp {
                if entry.isImplied, current?.kind == .directory { continue }
                let now = entry.kind == .hardLink ? index[entry.link] ?? entry : entry
                story += line(layer, path, now, before: current).map { [$0] } ?? []
                current = now
                continue
            }
            guard current != nil, let by = Self.remover(of: path, in: index) else { continue }
            story.append(removal(layer, of: path, by: by))
            current = nil
        }
        return story
    }

    /// The path whose entry removes `path` in a layer: the path itself, or a deleted, replaced or opaque parent
    /// directory.
    static func remover(of path: String, in index: LayerIndex) -> String? {
        if index[path]?.kind == .whiteout { return path }
        for ancestor in ancestors(of: path) {
            guard let entry = index[ancestor] else { continue }
            if entry.kind != .directory || entry.isOpaque { return ancestor }
        }
        return nil
    }

    private func line(
        _ layer: ImageLayer, _ path: String, _ now: LayerEntry, before: LayerEntry?
    ) -> BlameLine? {
        let reasons = before.map { IndexComparison.reasons(now, $0) } ?? []
        var event = BlameLine.Event.made
        if before != nil {
            if reasons.isEmpty, now.kind == .directory { return nil }
            event = reasons.isEmpty ? .rewritten : .changed
        }
        return BlameLine(
            layer: layer.number, event: event, instruction: layer.instruction, headline: layer.headline, path: path,
            kind: "\(now.kind)",
            mode: now.mode, uid: now.uid, gid: now.gid, size: now.size, reasons: reasons.map(\.rawValue).sorted(),
            digest: now.digest?.description)
    }

    private func removal(_ layer: ImageLayer, of path: String, by: String) -> BlameLine {
        BlameLine(
            layer: layer.number, event: .removed, instruction: layer.instruction, headline: layer.headline, path: by,
            kind: "whiteout", mode: 0,
            uid: 0, gid: 0, size: 0, reasons: [], digest: nil)
    }

    /// The parent directories of a path, with the root.
    static func ancestors(of path: String) -> [String] {
        var found: [String] = []
        var next = path
        while next != "/" {
            next = next.parentPath
            found.append(next)
        }
        return found
    }
}
