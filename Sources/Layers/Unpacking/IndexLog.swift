import Basics

/// The operations of an unpacking in order, from which the index is made.
///
/// A member can replace or remove earlier ones. Searching the content of each removed directory at once would take time
/// quadratic in the length of the archive. So removals are noted with their position and applied once at the end.
struct IndexLog {
    private var entries: [LayerEntry] = []
    /// The entry that has the inode of a hard link, by the link's position.
    private var linked: [Int: Int] = [:]
    private var latest: [PathKey: Int] = [:]
    private var removals: [PathKey: Int] = [:]
    private(set) var hasOpaque = false

    /// Notes the new entry of a path.
    mutating func add(_ entry: LayerEntry) {
        let key = PathKey(entry.path)
        var entry = entry
        if entry.kind == .directory, let before = latest[key], isAlive(before), entries[before].kind == .directory {
            entry.isOpaque = entry.isOpaque || entries[before].isOpaque
        }
        hasOpaque = hasOpaque || entry.isOpaque
        latest[key] = entries.count
        entries.append(entry)
    }

    /// Notes a hard link to another path of this layer.
    mutating func addLink(_ path: String, to target: String, modified: Timestamp) {
        var place = latest[PathKey(target)]
        if let found = place, let origin = linked[found] { place = origin }
        var entry = LayerEntry(path: path, kind: .hardLink, modified: modified)
        if let place {
            entry.link = entries[place].path
            (entry.mode, entry.uid, entry.gid) = (entries[place].mode, entries[place].uid, entries[place].gid)
            entry.modified = entries[place].modified
            linked[entries.count] = place
        } else {
            entry.link = target
        }
        add(entry)
    }

    /// Notes that a path and everything below it was removed.
    mutating func remove(_ path: String) { removals[PathKey(path)] = entries.count }

    mutating func setOpaque(_ path: String) {
        hasOpaque = true
        guard let place = latest[PathKey(path)] else { return }
        entries[place].isOpaque = true
    }

    /// The current entry of a path, when this layer made it.
    subscript(path: String) -> LayerEntry? {
        latest[PathKey(path)].flatMap { isAlive($0) ? entries[$0] : nil }
    }

    private func isAlive(_ place: Int) -> Bool {
        let path = entries[place].path
        guard latest[PathKey(path)] == place else { return false }
        return removals.isEmpty || !wasRemoved(path, after: place)
    }

    private func wasRemoved(_ path: String, after place: Int) -> Bool {
        var ancestor = path[...]
        while true {
            if let removal = removals[PathKey(String(ancestor))], removal > place { return true }
            guard let slash = ancestor.lastSlash, slash != ancestor.startIndex else { return false }
            ancestor = ancestor[..<slash]
        }
    }

    /// The remaining entries, sorted.
    consuming func finished() -> [LayerEntry] {
        var kept: [LayerEntry] = []
        kept.reserveCapacity(latest.count)
        var promoted: [Int: String] = [:]
        for place in entries.indices where isAlive(place) {
            var entry = entries[place]
            // The first name of the linked file may have been removed since.
            if let origin = linked[place], !isAlive(origin) {
                if let name = promoted[origin] {
                    entry.link = name
                } else {
                    promoted[origin] = entry.path
                    let path = entry.path
                    entry = entries[origin]
                    entry.path = path
                }
            }
            kept.append(entry)
        }
        kept.sort { PathOrder.precedes($0.path, $1.path) }
        return kept
    }
}
