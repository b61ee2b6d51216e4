package import Basics
import Glibc
package import Linux

/// Layers merged to one read-only tree, as overlayfs shows them, without a mount.
///
/// Links are resolved inside the tree, at most 255. A whiteout hides the path in lower layers, and an opaque directory
/// hides the content of the same directory in lower layers. An opaque root hides all lower layers, which overlayfs does
/// not do by itself. A missing path is `nil`, not an error.
package struct MergedTree: Sendable {
    package let layers: [RootDirectory]
    package let form: OverlayForm

    /// `layers` are ordered from the top.
    ///
    /// A single layer is a plain tree.
    package init(layers: [RootDirectory], form: OverlayForm = .current) {
        self.layers = layers
        self.form = form
    }

    /// How many layers, from the top, are not hidden by an opaque root.
    ///
    /// Only these are mounted.
    package var visibleLayers: Int {
        for (index, layer) in layers.enumerated() where index + 1 < layers.count && form.isOpaque(layer.descriptor) {
            return index + 1
        }
        return layers.count
    }

    /// The root directory.
    ///
    /// Throws what reading the directory's status throws.
    package func root() throws(ShaleError) -> TreeEntry {
        guard let top = layers.first else {
            // An image without layers is an empty directory, as in its containers.
            return TreeEntry(path: "/", status: .emptyDirectory, layer: 0, link: "", layers: [])
        }
        do throws(SystemCallError) {
            return TreeEntry(
                path: "/", status: try FileStatus.of(top.descriptor), layer: 0, link: "",
                layers: Array(0..<visibleLayers))
        } catch {
            throw error.shaleError("/")
        }
    }

    /// The entry of a path; `nil` when there is none.
    ///
    /// A link at the end is followed on request, links before it always.
    ///
    /// Throws what reading the directories on the way throws.
    package func entry(_ path: String, followingLinks: Bool) throws(ShaleError) -> TreeEntry? {
        let walk = PathWalk<TreeEntry>(
            link: { $0.status.kind == .symlink ? $0.link : nil },
            child: { name, here throws(ShaleError) in
                here.status.kind == .directory ? try child(name, of: here) : nil
            })
        return try walk.find(path, from: root(), followingLinks: followingLinks)
    }

    /// The entry of a name in a directory; `nil` when there is none.
    ///
    /// Throws what reading the directory throws.
    package func child(_ name: String, of directory: TreeEntry) throws(ShaleError) -> TreeEntry? {
        let path = directory.child(name)
        do throws(SystemCallError) {
            var top: (status: FileStatus, layer: Int)?
            var merged: [Int] = []
            for layer in directory.layers {
                let here = try layers[layer].directory(directory.path)
                guard let status = try here.statusIfPresent(name) else { continue }
                guard status.kind == .directory else {
                    if top != nil || status.isWhiteout { break }
                    let link = status.kind == .symlink ? try here.readLink(name) : ""
                    return TreeEntry(path: path, status: status, layer: layer, link: link, layers: [])
                }
                top = top ?? (status, layer)
                merged.append(layer)
                if layer != directory.layers.last, try isOpaque(name, in: here) { break }
            }
            return top.map { TreeEntry(path: path, status: $0.status, layer: $0.layer, link: "", layers: merged) }
        } catch {
            throw error.shaleError(path)
        }
    }

    private func isOpaque(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) -> Bool {
        try ExtendedAttributes.value(form.xattrName("opaque"), of: name, in: directory) == [UInt8(ascii: "y")]
    }

    /// The entries in a directory, sorted by bytes; none for an entry that is no directory.
    ///
    /// Throws what reading the directory throws.
    package func children(of directory: TreeEntry) throws(ShaleError) -> [TreeEntry] {
        do throws(SystemCallError) {
            var merging = Merging(directory: directory)
            for layer in directory.layers {
                let here = try layers[layer].directory(directory.path)
                let isLast = layer == directory.layers.last
                for (name, status) in try DirectoryEntries.list(here) {
                    guard merging.wants(name, status) else { continue }
                    let link = status.kind == .symlink ? try here.readLink(name) : ""
                    var isClosed = status.kind != .directory
                    if !isClosed, !isLast { isClosed = try isOpaque(name, in: here) }
                    merging.take(name, status, layer: layer, link: link, isClosed: isClosed)
                }
            }
            return merging.entries
        } catch {
            throw error.shaleError(directory.path)
        }
    }

    /// The entries in the directory at a path, where links are followed; none for a path that is no directory.
    ///
    /// Throws what reading the directories throws.
    package func children(of path: String) throws(ShaleError) -> [TreeEntry] {
        guard let directory = try entry(path, followingLinks: true) else { return [] }
        return try children(of: directory)
    }

    /// Calls `body` for a path, whose last link is followed, and for all entries below it, parents first, sorted by
    /// bytes.
    ///
    /// The content of directories for which `pruning` returns true is not visited. Throws what reading the directories
    /// and `body` throw.
    package func walk(
        _ path: String, pruning: (TreeEntry) -> Bool = { _ in false },
        _ body: (TreeEntry) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard let top = try entry(path, followingLinks: true) else { return }
        try walk(from: top, pruning: pruning, body)
    }

    /// Does the same from an entry.
    ///
    /// Throws what reading the directories and `body` throw.
    package func walk(
        from top: TreeEntry, pruning: (TreeEntry) -> Bool = { _ in false },
        _ body: (TreeEntry) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        var pending = [top]
        while let entry = pending.popLast() {
            try body(entry)
            guard entry.status.kind == .directory, !pruning(entry) else { continue }
            pending.append(contentsOf: try children(of: entry).reversed())
        }
    }

    // MARK: Contents

    /// Opens a regular file for reading.
    ///
    /// Throws `invalid` for an entry that is no regular file, and what opening the file throws.
    package func open(_ entry: TreeEntry) throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            let file = try layers[entry.layer].openLiteral(entry.path, O_RDONLY | O_NONBLOCK)
            if try FileStatus.of(file).kind == .regular { return file }
        } catch {
            throw error.shaleError(entry.path)
        }
        throw ShaleError(.invalid, "\(entry.path): not a regular file")
    }

    /// Opens the regular file at a path for reading.
    ///
    /// Links are followed.
    ///
    /// Throws `notFound` when there is none, `invalid` for a path that is no regular file, and what opening the file
    /// throws.
    package func open(_ path: String) throws(ShaleError) -> OwnedFD {
        guard let found = try entry(path, followingLinks: true) else {
            throw SystemCallError("open", path: path, errno: ENOENT).shaleError(path)
        }
        return try open(found)
    }

    /// The bytes of the file at a path; `nil` when there is none.
    ///
    /// Throws `invalid` for a path that is no regular file, and what reading the file throws, also for more than
    /// `limit` bytes.
    package func contents(of path: String, limit: Int = 16 << 20) throws(ShaleError) -> [UInt8]? {
        guard let found = try entry(path, followingLinks: true) else { return nil }
        let file = try open(found)
        do throws(SystemCallError) {
            return try file.readAll(limit: limit)
        } catch {
            throw error.shaleError(path)
        }
    }

    /// The target text of the link at a path; `nil` for a path that is no link.
    ///
    /// Throws what reading the directories on the way throws.
    package func readLink(_ path: String) throws(ShaleError) -> String? {
        guard let found = try entry(path, followingLinks: false), found.status.kind == .symlink else { return nil }
        return found.link
    }

    /// The extended attributes that archives contain.
    ///
    /// Throws what reading the attributes throws.
    package func attributes(of entry: TreeEntry) throws(ShaleError) -> [ExtendedAttribute] {
        try attributes(of: entry, LastDirectory())
    }

    func attributes(of entry: TreeEntry, _ last: LastDirectory) throws(ShaleError) -> [ExtendedAttribute] {
        guard entry.layer < layers.count else { return [] }
        do throws(SystemCallError) {
            return try last.with(entry.parent, of: layers[entry.layer], layer: entry.layer) {
                directory throws(SystemCallError) in
                try PortableAttributes.read(entry.path == "/" ? "." : entry.name, in: directory)
            }
        } catch {
            throw error.shaleError(entry.path)
        }
    }

    /// Opens a regular file for reading, with its current size.
    func open(_ entry: TreeEntry, _ last: LastDirectory) throws(ShaleError) -> SizedFile {
        do throws(SystemCallError) {
            return try last.with(entry.parent, of: layers[entry.layer], layer: entry.layer) {
                directory throws(SystemCallError) in
                try SizedFile.open(entry.name, in: directory)
            }
        } catch {
            throw error.shaleError(entry.path)
        }
    }

    /// The entry as in an index, without the hash of its content.
    ///
    /// Throws what reading the attributes throws.
    package func layerEntry(_ entry: TreeEntry) throws(ShaleError) -> LayerEntry {
        try layerEntry(entry, LastDirectory())
    }

    func layerEntry(_ entry: TreeEntry, _ last: LastDirectory) throws(ShaleError) -> LayerEntry {
        LayerEntry(
            path: entry.path, status: entry.status, link: entry.link, attributes: try attributes(of: entry, last))
    }
}

/// A regular file that is open for reading, and its size in bytes.
struct SizedFile: ~Copyable {
    let descriptor: OwnedFD
    let size: Int64

    /// Throws `ESTALE` for a name that is no regular file any more.
    static func open(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) -> SizedFile {
        let descriptor = try directory.open(name, O_RDONLY | O_NONBLOCK)
        let status = try FileStatus.of(descriptor)
        guard status.kind == .regular else { throw SystemCallError("open", path: name, errno: ESTALE) }
        return SizedFile(descriptor: descriptor, size: status.size)
    }
}

extension LayerEntry {
    /// Makes an entry from the status of a file.
    package init(path: String, status: FileStatus, link: String, attributes: [ExtendedAttribute]) {
        let isDevice = status.kind == .characterDevice || status.kind == .blockDevice
        self.init(
            path: path, kind: LayerEntry.Kind(status), mode: status.permissions, uid: status.uid, gid: status.gid,
            size: status.kind == .regular ? status.size : 0, modified: status.modified, link: link,
            deviceMajor: isDevice ? status.rdevMajor : 0, deviceMinor: isDevice ? status.rdevMinor : 0,
            attributes: attributes)
    }
}

extension LayerEntry.Kind {
    /// There is no kind for sockets.
    ///
    /// Code that makes archives leaves them out before.
    init(_ status: FileStatus) {
        self =
            switch status.kind {
            case .regular, .socket: .file
            case .directory: .directory
            case .symlink: .symlink
            case .fifo: .fifo
            case .characterDevice: status.isWhiteout ? .whiteout : .characterDevice
            case .blockDevice: .blockDevice
            }
    }
}

/// Merges the listings of one directory in several layers, from the top.
private struct Merging {
    private struct Found {
        var name: String
        var status: FileStatus
        var link: String
        var layers: [Int]
        /// Whether lower layers cannot add entries to it.
        var isClosed: Bool
    }

    private let directory: TreeEntry
    private var found: [Found] = []
    private var places: [PathKey: Int] = [:]
    private var hidden: Set<PathKey> = []
    private let isSingle: Bool

    init(directory: TreeEntry) {
        self.directory = directory
        isSingle = directory.layers.count == 1
    }

    /// Notes the effect of a name on lower layers.
    ///
    /// Returns whether the name is part of the merged listing.
    mutating func wants(_ name: String, _ status: FileStatus) -> Bool {
        if isSingle { return !status.isWhiteout }
        let key = PathKey(name)
        if let place = places[key] {
            if status.kind != .directory { found[place].isClosed = true }
            return !found[place].isClosed
        }
        if hidden.contains(key) { return false }
        if status.isWhiteout { hidden.insert(key) }
        return !status.isWhiteout
    }

    mutating func take(_ name: String, _ status: FileStatus, layer: Int, link: String, isClosed: Bool) {
        if !isSingle {
            if let place = places[PathKey(name)] {
                found[place].layers.append(layer)
                found[place].isClosed = isClosed
                return
            }
            places[PathKey(name)] = found.count
        }
        found.append(Found(name: name, status: status, link: link, layers: [layer], isClosed: isClosed))
    }

    var entries: [TreeEntry] {
        let sorted = isSingle ? found : found.sorted { PathOrder.precedes($0.name, $1.name) }
        return sorted.map { item in
            TreeEntry(
                path: directory.child(item.name), status: item.status, layer: item.layers[0], link: item.link,
                layers: item.status.kind == .directory ? item.layers : [])
        }
    }
}
