package import Basics
import Glibc
package import Linux
package import OCI

/// Neighbouring layers of a stack put together to one, which does to the layers below what they did one after the
/// other.
///
/// Known from their indexes: the trees are read only for the contents of the files that are left. What a layer removed
/// of another of them is gone; what it removed of the layers below stays a whiteout, and an opaque directory becomes
/// whiteouts of the same effect, which the specification prefers (image-spec v1.1, layer.md, "Opaque Whiteout").
package struct SquashedLayers {
    /// One layer: its index, and its unpacked tree.
    package struct Source {
        package var index: LayerIndex
        package var root: RootDirectory

        package init(index: LayerIndex, root: RootDirectory) {
            self.index = index
            self.root = root
        }
    }

    /// A path of the layer to be, and the source that has its contents.
    struct Item {
        var entry: LayerEntry
        var layer: Int
    }

    private let sources: [Source]
    /// Sorted by path.
    private(set) var items: [Item] = []

    /// `sources` from the lowest; `below` are the layers that stay below them, `nil` for none.
    ///
    /// Throws `cancelled` when it is stopped, `corrupt` for an index that contradicts itself, and what reading the
    /// layers below throws.
    package init(
        _ sources: [Source], below: MergedTree?, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) {
        self.sources = sources
        var tree = StackedEntries()
        for (layer, source) in sources.enumerated() {
            try cancellation.check()
            for entry in source.index.entries { tree.put(entry, of: layer) }
        }
        items = try tree.items(below: below.map { LowerEntries($0) }, cancellation)
        items.sort { PathOrder.precedes($0.entry.path, $1.entry.path) }
        try nameFilesOnce()
    }

    /// Bytes of the regular files that are left.
    package var contentBytes: Int64 {
        items.reduce(0) { $0.addingClamped($1.entry.kind == .file ? $1.entry.size : 0) }
    }

    package var isEmpty: Bool { items.isEmpty }
    /// Paths of the layers below that it removes.
    package var removals: Int { items.count { $0.entry.kind == .whiteout } }

    /// Writes the layer's tar; the same bytes for the same layers.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the files or `sink` throws.
    package func write(
        cancellation: Cancellation = Cancellation(), to sink: @escaping ByteSink
    ) throws(ShaleError) -> (diffID: Digest, size: Int64) {
        let tar = TarWriter { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            try cancellation.check()
            try sink(bytes)
        }
        let last = LastDirectory()
        for var item in items {
            try cancellation.check()
            item.entry.modified = LayerWriter.clamped(item.entry.modified, to: nil)
            switch item.entry.kind {
            case .whiteout: try LayerWriter.addWhiteout(item.entry.path, tar)
            case .file:
                let file = try LayerWriter.open(item.entry.path, sources[item.layer].root, last, layer: item.layer)
                item.entry.size = file.size
                try tar.add(TarEntry(item.entry), from: file.descriptor)
            default: try tar.add(TarEntry(item.entry))
            }
        }
        let (digest, size) = try tar.finish()
        return (digest, size)
    }

    // MARK: Hard links

    /// Makes the first name that is left of a file the file itself, and the others links to it: the name that was the
    /// file may be gone.
    private mutating func nameFilesOnce() throws(ShaleError) {
        var first: [FileName: String] = [:]
        for position in items.indices {
            let item = items[position]
            guard item.entry.kind != .directory, item.entry.kind != .whiteout else { continue }
            let main = try mainEntry(of: item)
            let name = FileName(layer: item.layer, path: PathKey(main.path))
            var entry = main
            entry.path = item.entry.path
            if let known = first[name] {
                (entry.kind, entry.link, entry.size) = (.hardLink, known, 0)
            } else {
                first[name] = entry.path
            }
            (entry.isCopiedUp, entry.isImplied) = (false, false)
            items[position].entry = entry
        }
    }

    private struct FileName: Hashable {
        var layer: Int
        var path: PathKey
    }

    /// The entry that tells what a hard link is another name of; of everything else its own.
    private func mainEntry(of item: Item) throws(ShaleError) -> LayerEntry {
        var entry = item.entry
        // An index names the file itself; a few steps more do no harm.
        for _ in 0..<16 where entry.kind == .hardLink {
            guard let target = sources[item.layer].index[entry.link] else { break }
            entry = target
        }
        guard entry.kind != .hardLink, entry.kind != .directory, entry.kind != .whiteout else {
            throw ShaleError(
                .corrupt, "\(item.entry.path): its layer's index knows no file \(entry.link)",
                hint: "system check --repair")
        }
        return entry
    }
}

/// The layers below, name by name and without following links, as an overlay merges them.
private final class LowerEntries {
    private let tree: MergedTree
    private var known: [PathKey: TreeEntry?] = [:]

    init(_ tree: MergedTree) { self.tree = tree }

    func entry(_ path: String) throws(ShaleError) -> TreeEntry? {
        let key = PathKey(path)
        if let entry = known[key] { return entry }
        var here: TreeEntry? = try tree.root()
        var walked = ""
        for part in path.pathParts {
            guard let directory = here, directory.status.kind == .directory else {
                here = nil
                break
            }
            walked += "/" + part
            let place = PathKey(walked)
            if let entry = known[place] {
                here = entry
            } else {
                here = try tree.child(String(part), of: directory)
                known[place] = .some(here)
            }
        }
        known[key] = .some(here)
        return here
    }

    func children(of path: String) throws(ShaleError) -> [TreeEntry] {
        guard let directory = try entry(path), directory.status.kind == .directory else { return [] }
        return try tree.children(of: directory)
    }
}

/// What stands at each path once layers were put one upon the other.
private struct StackedEntries {
    private struct Node {
        /// `nil` for a directory that no layer names.
        var entry: LayerEntry?
        var layer = 0
        /// Whether a directory hides what the layers below have in it.
        var hidesLower = false
        /// Full paths.
        var children: [String] = []

        var isDirectory: Bool { entry.map { $0.kind == .directory } ?? true }
    }

    private var nodes: [PathKey: Node] = [PathKey("/"): Node()]

    /// Puts one entry of the next layer in place; a directory comes before what is in it.
    mutating func put(_ entry: LayerEntry, of layer: Int) {
        let key = PathKey(entry.path)
        guard let old = nodes[key] else {
            makeParents(of: entry.path)
            nodes[key] = Node(entry: entry, layer: layer, hidesLower: entry.isOpaque)
            return
        }
        var node = Node(entry: entry, layer: layer)
        if entry.kind == .directory {
            // What is no directory hides what is below it, also after one came in its place.
            node.hidesLower = entry.isOpaque || old.hidesLower || !old.isDirectory
        }
        if entry.kind == .directory, old.isDirectory, !entry.isOpaque {
            node.children = old.children
        } else {
            removeChildren(old)
        }
        nodes[key] = node
    }

    /// Makes a path known to the directories it is in.
    private mutating func makeParents(of path: String) {
        var child = path
        while child != "/" {
            let parent = child.parentPath
            let key = PathKey(parent)
            let isKnown = nodes[key] != nil
            nodes[key, default: Node()].children.append(child)
            if isKnown { return }
            child = parent
        }
    }

    private mutating func removeChildren(_ node: Node) {
        var pending = node.children
        while let path = pending.popLast() {
            if let gone = nodes.removeValue(forKey: PathKey(path)) { pending += gone.children }
        }
    }

    /// All that the layer to be has, in no order.
    func items(below: LowerEntries?, _ cancellation: Cancellation) throws(ShaleError) -> [SquashedLayers.Item] {
        var items: [SquashedLayers.Item] = []
        var pending = [(path: "/", isHidden: false)]
        while let place = pending.popLast() {
            try cancellation.check()
            guard let node = nodes[PathKey(place.path)] else { continue }
            if var entry = node.entry {
                (entry.isOpaque, entry.isCopiedUp, entry.isImplied) = (false, false, false)
                items.append(.init(entry: entry, layer: node.layer))
            }
            let hides = place.isHidden || node.hidesLower
            for path in node.children {
                guard let child = nodes[PathKey(path)] else { continue }
                if child.isDirectory {
                    pending.append((path, hides))
                } else if let entry = child.entry {
                    if entry.kind == .whiteout {
                        guard !hides, try below?.entry(path) != nil else { continue }
                    }
                    items.append(.init(entry: entry, layer: child.layer))
                }
            }
            guard hides, let below else { continue }
            for lower in try below.children(of: place.path)
            where nodes[PathKey(lower.path)].map({ $0.entry?.kind == .whiteout }) ?? true {
                items.append(.init(entry: LayerEntry(path: lower.path, kind: .whiteout), layer: 0))
            }
        }
        return items
    }
}
