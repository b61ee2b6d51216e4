package import Basics
import Glibc
package import Linux
package import OCI

/// One layer that has the same effect on the layers below as several adjacent layers together.
///
/// It is computed from the layers' indexes. The trees are read only for the content of the remaining files. Files that
/// a layer removed from another of these layers are left out. Files that it removed from the layers below become
/// whiteouts. An opaque directory becomes whiteouts of the same effect, as the specification recommends (image-spec
/// v1.1, layer.md, "Opaque Whiteout").
package struct SquashedLayers {
    /// One layer: its index and its unpacked tree.
    package struct Source {
        package var index: LayerIndex
        package var root: RootDirectory

        package init(index: LayerIndex, root: RootDirectory) {
            self.index = index
            self.root = root
        }
    }

    /// A path of the new layer, and the source that has its content.
    struct Item {
        var entry: LayerEntry
        var layer: Int
    }

    private let sources: [Source]
    /// The paths of the new layer, sorted.
    private(set) var items: [Item] = []

    /// `sources` are ordered from the lowest.
    ///
    /// `below` are the layers that stay below them; `nil` for none.
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

    /// The size of the remaining regular files, in bytes.
    package var contentBytes: Int64 {
        items.reduce(0) { $0.addingClamped($1.entry.kind == .file ? $1.entry.size : 0) }
    }

    package var isEmpty: Bool { items.isEmpty }
    /// The number of paths of the layers below that it removes.
    package var removals: Int { items.count { $0.entry.kind == .whiteout } }

    /// Writes the tar of the layer.
    ///
    /// The same layers give the same bytes.
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

    /// Makes the first remaining name of each file the file itself, and the others hard links to it.
    ///
    /// The original first name may have been removed.
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

    /// For a hard link the entry of its file; for other entries the entry itself.
    private func mainEntry(of item: Item) throws(ShaleError) -> LayerEntry {
        var entry = item.entry
        // An index names the file directly. A few more steps do no harm.
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

/// Looks up names in the layers below as an overlay merges them.
///
/// Links are not followed.
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

/// The entry at each path after layers were stacked.
private struct StackedEntries {
    private struct Node {
        /// `nil` for a directory that no layer names.
        var entry: LayerEntry?
        var layer = 0
        /// Whether a directory hides what the layers below have in it.
        var hidesLower = false
        /// The full paths of its entries.
        var children: [String] = []

        var isDirectory: Bool { entry.map { $0.kind == .directory } ?? true }
    }

    private var nodes: [PathKey: Node] = [PathKey("/"): Node()]

    /// Adds one entry of the next layer.
    ///
    /// A directory must come before its content.
    mutating func put(_ entry: LayerEntry, of layer: Int) {
        let key = PathKey(entry.path)
        guard let old = nodes[key] else {
            makeParents(of: entry.path)
            nodes[key] = Node(entry: entry, layer: layer, hidesLower: entry.isOpaque)
            return
        }
        var node = Node(entry: entry, layer: layer)
        if entry.kind == .directory {
            // A file that is no directory hides the lower directory, also after a directory replaced the file.
            node.hidesLower = entry.isOpaque || old.hidesLower || !old.isDirectory
        }
        if entry.kind == .directory, old.isDirectory, !entry.isOpaque {
            node.children = old.children
        } else {
            removeChildren(old)
        }
        nodes[key] = node
    }

    /// Adds a path to its parent directories.
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

    /// All entries of the new layer, not sorted.
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
