package import Basics
package import Layers

/// Merges the indexes of an image's layers one by one, and returns the changes of each.
///
/// Only the indexes are read. Not thread-safe.
package final class MergedIndex {
    /// One visible path.
    package final class Node {
        /// The entry in the layer's index.
        package let entry: LayerEntry
        package let layer: Int
        /// The entry; a hard link has the attributes of its target.
        let resolved: LayerEntry
        fileprivate(set) var children: [Node] = []
        fileprivate(set) var isGone = false

        fileprivate init(_ entry: LayerEntry, _ resolved: LayerEntry, layer: Int) {
            self.entry = entry
            self.resolved = resolved
            self.layer = layer
        }
    }

    private var nodes: [PathKey: Node] = [:]
    private var layerCount = 0
    /// The number of visible names of each hard-linked file, minus one.
    ///
    /// Its bytes are hidden with the last name.
    private var names: [SharedFile: Int] = [:]

    private struct SharedFile: Hashable {
        var layer: Int
        var path: PathKey
    }

    package init() {}

    /// Merges all layers of an image up to a number; `visit` is called with the changes of each.
    ///
    /// Throws what reading the layers' indexes throws.
    package convenience init(
        _ layers: ImageLayers, upTo top: Int? = nil, visit: (Int, [LayerChange]) -> Void = { _, _ in }
    ) throws(ShaleError) {
        self.init()
        for number in 1..<(min(top ?? layers.count, layers.count) + 1) {
            let changes = add(try layers.index(number))
            visit(number, changes)
        }
    }

    /// The visible entry at a path.
    package subscript(path: String) -> Node? { nodes[PathKey(path)] }

    /// All visible entries, in no order.
    package var entries: some Sequence<Node> { nodes.values }

    /// Adds the next layer on top; returns its changes sorted by path.
    package func add(_ index: LayerIndex) -> [LayerChange] {
        layerCount += 1
        nodes.reserveCapacity(nodes.count + index.entries.count)
        var changes: [LayerChange] = []
        // Only a layer with whiteouts or opaque directories can hide something; the lowest layer never can.
        if layerCount > 1, index.entries.contains(where: { $0.kind == .whiteout || $0.isOpaque }) {
            var present: [PathKey: LayerEntry] = [:]
            present.reserveCapacity(index.entries.count)
            for entry in index.entries where entry.kind != .whiteout && !entry.isCopiedUp {
                present[PathKey(entry.path)] = entry
            }
            for entry in index.entries {
                if entry.kind == .whiteout, present[PathKey(entry.path)] == nil {
                    remove(entry.path, &changes)
                } else if entry.isOpaque {
                    hideContents(of: entry.path, present, &changes)
                }
            }
        }
        for entry in index.entries where entry.kind == .hardLink {
            names[SharedFile(layer: layerCount, path: PathKey(entry.link)), default: 0] += 1
        }
        for entry in index.entries where entry.kind != .whiteout && !entry.isCopiedUp {
            let resolved = entry.kind == .hardLink ? target(of: entry, index) : entry
            put(entry, resolved, &changes)
        }
        return changes.sorted { PathOrder.precedes($0.path, $1.path) }
    }

    private func target(of entry: LayerEntry, _ index: LayerIndex) -> LayerEntry {
        guard var target = index[entry.link] ?? nodes[PathKey(entry.link)]?.resolved else { return entry }
        target.path = entry.path
        return target
    }

    // MARK: Taking away

    private func remove(_ path: String, _ changes: inout [LayerChange]) {
        guard let node = nodes[PathKey(path)] else { return }
        var change = LayerChange(
            kind: .deleted, path: path, before: node.entry, beforeLayer: node.layer, reasons: [], hidden: [:])
        discard(node, hiding: &change.hidden)
        changes.append(change)
    }

    /// Removes the entries of lower layers in an opaque directory, except at paths that this layer has.
    private func hideContents(of path: String, _ present: [PathKey: LayerEntry], _ changes: inout [LayerChange]) {
        var pending = nodes[PathKey(path)]?.children ?? []
        while let node = pending.popLast() {
            if node.isGone { continue }
            guard let replacement = present[PathKey(node.entry.path)] else {
                remove(node.entry.path, &changes)
                continue
            }
            if replacement.kind == .directory { pending += node.children }
        }
    }

    private func discard(_ node: Node, hiding hidden: inout [Int: Int64]) {
        var pending = [node]
        while let next = pending.popLast() {
            if next.isGone { continue }
            next.isGone = true
            nodes[PathKey(next.entry.path)] = nil
            if next.resolved.size > 0, isLastName(next) { hidden[next.layer, default: 0] &+= next.resolved.size }
            pending += next.children
        }
    }

    /// Whether a file has, or had, other hard links.
    func hasSeveralNames(_ node: Node) -> Bool {
        let path = node.entry.kind == .hardLink ? node.entry.link : node.entry.path
        return names[SharedFile(layer: node.layer, path: PathKey(path))] != nil
    }

    /// Counts a removed name; returns whether no other name of the file is left.
    private func isLastName(_ node: Node) -> Bool {
        let path = node.entry.kind == .hardLink ? node.entry.link : node.entry.path
        let file = SharedFile(layer: node.layer, path: PathKey(path))
        // The number of remaining names, without the removed one.
        guard let others = names[file] else { return true }
        names[file] = others - 1
        return others == 0
    }

    // MARK: Putting

    private func put(_ entry: LayerEntry, _ resolved: LayerEntry, _ changes: inout [LayerChange]) {
        let node = Node(entry, resolved, layer: layerCount)
        guard let old = nodes[PathKey(entry.path)] else {
            place(node)
            changes.append(
                LayerChange(kind: .added, path: entry.path, entry: entry, reasons: [], hidden: [:]))
            return
        }
        // A parent directory that the tar does not contain stays unchanged.
        if entry.isImplied, old.resolved.kind == .directory { return }
        var change = LayerChange(
            kind: .changed, path: entry.path, entry: entry, before: old.entry, beforeLayer: old.layer,
            reasons: IndexComparison.reasons(resolved, old.resolved), hidden: [:])
        if entry.kind == .directory, old.entry.kind == .directory {
            node.children = old.children
            old.isGone = true
            place(node)
            if !change.reasons.isEmpty { changes.append(change) }
            return
        }
        discard(old, hiding: &change.hidden)
        place(node)
        changes.append(change)
    }

    private func place(_ node: Node) {
        nodes[PathKey(node.entry.path)] = node
        if node.entry.path != "/" { nodes[PathKey(node.entry.path.parentPath)]?.children.append(node) }
    }
}

/// Compares two entries of a path by their facts in the layer indexes.
package enum IndexComparison {
    package static func reasons(_ new: LayerEntry, _ old: LayerEntry) -> Set<Change.Reason> {
        var reasons: Set<Change.Reason> = []
        if new.kind != old.kind { reasons.insert(.type) }
        if new.kind != .symlink || old.kind != .symlink, new.mode != old.mode { reasons.insert(.mode) }
        if new.uid != old.uid || new.gid != old.gid { reasons.insert(.owner) }
        if new.attributes != old.attributes { reasons.insert(.xattr) }
        guard new.kind == old.kind, new.kind != .directory else { return reasons }
        // Archives keep whole seconds only.
        if new.modified.seconds != old.modified.seconds { reasons.insert(.mtime) }
        if new.size != old.size { reasons.formUnion([.size, .content]) }
        if let one = new.contentHash, let other = old.contentHash, one != other { reasons.insert(.content) }
        if !PathOrder.same(new.link, old.link) { reasons.insert(.link) }
        if new.deviceMajor != old.deviceMajor || new.deviceMinor != old.deviceMinor { reasons.insert(.device) }
        return reasons
    }
}
