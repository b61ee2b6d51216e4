import Basics
import Glibc
import Layers
import Linux

/// Levels seen as the one tree they make, as overlayfs would show them; a level is asked for only when an answer needs
/// it, from the top.
///
/// Links are resolved inside the tree, 255 of them at most. For one thread.
final class LayerViewTree {
    /// What stands at a path, and the level that decides it.
    struct Found: Sendable, Hashable {
        var entry: LayerEntry
        /// Counted from the top.
        var level: Int
        /// The levels that have the directory, from the top; `nil` where that is not known.
        var levels: [Int]?
    }

    /// How many levels there are.
    let count: Int
    /// Whether what the top level deletes is shown as such: a layer looked at by itself.
    private let showsWhiteouts: Bool
    private let load: (Int) throws(ShaleError) -> any LayerView
    private var loaded: [Int: any LayerView] = [:]

    init(count: Int, showingWhiteouts: Bool = false, load: @escaping (Int) throws(ShaleError) -> any LayerView) {
        self.count = count
        showsWhiteouts = showingWhiteouts
        self.load = load
    }

    func level(_ number: Int) throws(ShaleError) -> any LayerView {
        if let known = loaded[number] { return known }
        let level = try load(number)
        loaded[number] = level
        return level
    }

    // MARK: Looking

    /// What stands at a clean path without links.
    func literal(_ path: String) throws(ShaleError) -> Found? {
        if count == 0 {
            let root = LayerEntry(path: "/", kind: .directory, mode: 0o755)
            return path == "/" ? Found(entry: root, level: 0, levels: []) : nil
        }
        if path == "/" {
            // The root exists even when the top layer's tar does not name it.
            let named = try level(0).entry(path)
            return Found(entry: named ?? LayerEntry(path: "/", kind: .directory, mode: 0o755), level: 0)
        }
        let ancestors = Blame.ancestors(of: path)
        for number in 0..<count {
            let level = try level(number)
            if let entry = try level.entry(path) {
                if entry.kind == .whiteout, !showsWhiteouts { return nil }
                return Found(entry: entry, level: number)
            }
            if try Self.hides(level, ancestors) { return nil }
        }
        return nil
    }

    /// Whether a level leaves nothing of lower ones to be seen below some directories.
    private static func hides(_ level: any LayerView, _ ancestors: [String]) throws(ShaleError) -> Bool {
        for ancestor in ancestors {
            guard let entry = try level.entry(ancestor) else { continue }
            if entry.kind != .directory || entry.isOpaque { return true }
        }
        return false
    }

    /// What a path names, or `nil`; a link at its end is followed if asked, links before it always.
    func entry(_ path: String, followingLinks: Bool) throws(ShaleError) -> Found? {
        guard let root = try literal("/") else { return nil }
        // A slash at the end asks for a directory, and for what a link leads to.
        let wantsDirectory = path.utf8.last == 0x2F
        let walk = PathWalk<Found>(
            link: { $0.entry.kind == .symlink ? $0.entry.link : nil },
            child: { name, here throws(ShaleError) in
                here.entry.kind == .directory ? try self.literal(here.entry.path.childPath(name)) : nil
            })
        let found = try walk.find(path, from: root, followingLinks: followingLinks || wantsDirectory)
        return wantsDirectory && found?.entry.kind != .directory ? nil : found
    }

    // MARK: Directories

    /// All that is in a directory, sorted by bytes.
    func children(of directory: Found) throws(ShaleError) -> [Found] {
        guard directory.entry.kind == .directory else { return [] }
        let path = directory.entry.path
        let levels =
            if let known = directory.levels { known } else { try self.levels(of: path, from: directory.level) }
        var found: [Found] = []
        var places: [PathKey: Int] = [:]
        var closed: Set<PathKey> = []
        for number in levels {
            for child in try level(number).children(of: path) {
                let isDirectory = child.kind == .directory
                if levels.count == 1 {
                    if child.kind == .whiteout, !showsWhiteouts { continue }
                    found.append(Found(entry: child, level: number, levels: isDirectory ? [number] : nil))
                    continue
                }
                let key = PathKey(child.path)
                if closed.contains(key) { continue }
                if !isDirectory || child.isOpaque { closed.insert(key) }
                if let place = places[key] {
                    if isDirectory { found[place].levels?.append(number) }
                } else if child.kind != .whiteout {
                    places[key] = found.count
                    found.append(Found(entry: child, level: number, levels: isDirectory ? [number] : nil))
                }
            }
        }
        return levels.count == 1 ? found : found.sorted { PathOrder.precedes($0.entry.path, $1.entry.path) }
    }

    /// The levels whose part of a directory can be seen.
    private func levels(of path: String, from top: Int) throws(ShaleError) -> [Int] {
        let ancestors = Blame.ancestors(of: path)
        var levels: [Int] = []
        for number in top..<count {
            let level = try level(number)
            if let entry = try level.entry(path) {
                guard entry.kind == .directory else { break }
                levels.append(number)
                if entry.isOpaque { break }
            } else if path == "/" {
                levels.append(number)
            }
            if try Self.hides(level, ancestors) { break }
        }
        return levels
    }
}
