import Basics
import Glibc
import Layers
import Linux

/// Several layers as one merged tree, as overlayfs shows them.
///
/// A layer is read only when it is needed, from the top.
///
/// At most 255 links are followed, all inside the tree. Not thread-safe.
final class LayerViewTree {
    /// An entry, and the layer from which it comes.
    struct Found: Sendable, Hashable {
        var entry: LayerEntry
        /// The index of that layer; 0 is the top layer.
        var depth: Int
        /// The layers that contain the directory, from the top; `nil` when not known.
        var depths: [Int]?
    }

    /// The number of layers.
    let count: Int
    /// Whether whiteouts of the top layer are shown, for a view of a single layer.
    private let showsWhiteouts: Bool
    private let load: (Int) throws(ShaleError) -> any LayerView
    private var loaded: [Int: any LayerView] = [:]

    init(count: Int, showingWhiteouts: Bool = false, load: @escaping (Int) throws(ShaleError) -> any LayerView) {
        self.count = count
        showsWhiteouts = showingWhiteouts
        self.load = load
    }

    func view(at depth: Int) throws(ShaleError) -> any LayerView {
        if let known = loaded[depth] { return known }
        let view = try load(depth)
        loaded[depth] = view
        return view
    }

    // MARK: Looking

    /// The entry at a clean path without links.
    func literal(_ path: String) throws(ShaleError) -> Found? {
        if count == 0 {
            let root = LayerEntry(path: "/", kind: .directory, mode: 0o755)
            return path == "/" ? Found(entry: root, depth: 0, depths: []) : nil
        }
        if path == "/" {
            // The root exists even when the top layer's tar does not contain it.
            let named = try view(at: 0).entry(path)
            return Found(entry: named ?? LayerEntry(path: "/", kind: .directory, mode: 0o755), depth: 0)
        }
        let ancestors = Blame.ancestors(of: path)
        for depth in 0..<count {
            let view = try view(at: depth)
            if let entry = try view.entry(path) {
                if entry.kind == .whiteout, !showsWhiteouts { return nil }
                return Found(entry: entry, depth: depth)
            }
            if try Self.hides(view, ancestors) { return nil }
        }
        return nil
    }

    /// Whether a layer hides everything of lower layers below one of these directories.
    private static func hides(_ view: any LayerView, _ ancestors: [String]) throws(ShaleError) -> Bool {
        for ancestor in ancestors {
            guard let entry = try view.entry(ancestor) else { continue }
            if entry.kind != .directory || entry.isOpaque { return true }
        }
        return false
    }

    /// The entry at a path, or `nil`.
    ///
    /// Links in parent directories are always followed, a link at the end on request.
    func entry(_ path: String, followingLinks: Bool) throws(ShaleError) -> Found? {
        guard let root = try literal("/") else { return nil }
        // A slash at the end requires a directory and follows a link.
        let wantsDirectory = path.utf8.last == 0x2F
        let walk = PathWalk<Found>(
            link: { $0.entry.kind == .symlink ? $0.entry.link : nil },
            child: { name, here throws(ShaleError) in
                here.entry.kind == .directory ? try self.literal(here.entry.path.appendingPath(name)) : nil
            })
        let found = try walk.find(path, from: root, followingLinks: followingLinks || wantsDirectory)
        return wantsDirectory && found?.entry.kind != .directory ? nil : found
    }

    // MARK: Directories

    /// The entries of a directory, sorted by bytes.
    func children(of directory: Found) throws(ShaleError) -> [Found] {
        guard directory.entry.kind == .directory else { return [] }
        let path = directory.entry.path
        let depths =
            if let known = directory.depths { known } else { try self.depths(of: path, from: directory.depth) }
        var found: [Found] = []
        var places: [PathKey: Int] = [:]
        var closed: Set<PathKey> = []
        for depth in depths {
            for child in try view(at: depth).children(of: path) {
                let isDirectory = child.kind == .directory
                if depths.count == 1 {
                    if child.kind == .whiteout, !showsWhiteouts { continue }
                    found.append(Found(entry: child, depth: depth, depths: isDirectory ? [depth] : nil))
                    continue
                }
                let key = PathKey(child.path)
                if closed.contains(key) { continue }
                if !isDirectory || child.isOpaque { closed.insert(key) }
                if let place = places[key] {
                    if isDirectory { found[place].depths?.append(depth) }
                } else if child.kind != .whiteout {
                    places[key] = found.count
                    found.append(Found(entry: child, depth: depth, depths: isDirectory ? [depth] : nil))
                }
            }
        }
        return depths.count == 1 ? found : found.sorted { PathOrder.precedes($0.entry.path, $1.entry.path) }
    }

    /// The layers whose entries of a directory are visible.
    private func depths(of path: String, from top: Int) throws(ShaleError) -> [Int] {
        let ancestors = Blame.ancestors(of: path)
        var depths: [Int] = []
        for depth in top..<count {
            let view = try view(at: depth)
            if let entry = try view.entry(path) {
                guard entry.kind == .directory else { break }
                depths.append(depth)
                if entry.isOpaque { break }
            } else if path == "/" {
                depths.append(depth)
            }
            if try Self.hides(view, ancestors) { break }
        }
        return depths
    }
}
