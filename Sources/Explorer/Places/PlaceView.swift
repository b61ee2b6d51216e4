package import Basics
import Glibc
import Layers
package import Linux
import OCI
import Stores

/// The files of an image, a layer or a container, read without a mount and without a process.
///
/// An image is its merged layer indexes. A container has its upper directory on top. A layer shows only its own
/// entries,
/// with whiteouts. Links are followed inside the tree. Not thread-safe.
package final class PlaceView {
    package enum Source {
        case image(ImageLayers)
        case layer(ImageLayers, Int)
        case container(ContainerLayer, ImageLayers)
    }

    /// The name before `:/` in messages, such as `ubuntu:22.04` or `ubuntu:22.04#2`.
    package let label: String
    package let source: Source
    private let tree: LayerViewTree

    /// A view of a whole image or container, or of one of its layers.
    ///
    /// Throws `notFound` for a number that no layer has.
    package convenience init(_ layers: ImageLayers, layer: Int?, label: String) throws(ShaleError) {
        if let layer {
            try self.init(.layer(layers, layer), label: label)
        } else if let own = layers.own {
            try self.init(.container(own, layers), label: label)
        } else {
            try self.init(.image(layers), label: label)
        }
    }

    /// A view of `source`; of an image only the layers up to `highest`.
    ///
    /// Throws `notFound` for a number that no layer has.
    package init(_ source: Source, upTo highest: Int? = nil, label: String) throws(ShaleError) {
        self.source = source
        self.label = label
        switch source {
        case .image(let layers): tree = layers.viewTree(upTo: highest ?? layers.layers.count)
        case .container(_, let layers): tree = layers.viewTree()
        case .layer(let layers, let number):
            _ = try layers.layer(number)
            tree = LayerViewTree(count: 1, showingWhiteouts: true) { _ throws(ShaleError) in
                IndexedLayerView(try layers.index(number))
            }
        }
    }

    /// The layers of the view.
    package var layers: ImageLayers {
        switch source {
        case .image(let layers), .layer(let layers, _), .container(_, let layers): layers
        }
    }

    /// The layer number, for a view of a single layer.
    package var singleLayer: Int? {
        if case .layer(_, let number) = source { number } else { nil }
    }

    /// The sum of the file sizes in all of its layers, in bytes.
    ///
    /// Throws `notFound` for a number that no layer has, and what reading a container's changes throws.
    package func storedBytes() throws(ShaleError) -> Int64 {
        let stack =
            switch source {
            case .image(let layers): layers.layers
            case .container(_, let layers): try layers.stack()
            case .layer(let layers, let number):
                number > layers.layers.count ? try layers.stack().suffix(1) : [try layers.layer(number)]
            }
        return stack.reduce(0) { $0 &+ $1.bytes }
    }

    /// The layer number at a depth, from 1 for the lowest; `nil` for a container's own changes.
    private func layer(at depth: Int) -> Int? {
        switch source {
        case .image: tree.count == 0 ? nil : tree.count - depth
        case .container(_, let layers): depth == 0 ? nil : layers.count - depth
        case .layer(_, let number): number
        }
    }

    private func view(_ found: LayerViewTree.Found) throws(ShaleError) -> ViewEntry {
        var entry = ViewEntry(found.entry, layer: layer(at: found.depth))
        entry.found = found
        // Only the view of a single layer shows opaque marks. In a whole image the hidden entries are not visible
        // anyway.
        if case .layer = source {} else { entry.isOpaque = false }
        guard tree.count > 0, entry.kind == .file else { return entry }
        let file = try tree.view(at: found.depth).file(found.entry)
        entry = ViewEntry(file.entry, layer: entry.layer)
        entry.found = found
        entry.names = file.names
        if file.isSocket { entry.kind = .socket }
        entry.identity = file.identity.map { "\(found.depth):\($0)" }
        return entry
    }

    // MARK: Looking

    /// The entry at a path, or `nil`.
    ///
    /// A link at the end is followed on request.
    ///
    /// Throws what reading the layers throws, and an error with the place for a cycle of links.
    package func entry(_ path: String, followingLinks: Bool) throws(ShaleError) -> ViewEntry? {
        do throws(ShaleError) {
            return try tree.entry(path, followingLinks: followingLinks).map { found throws(ShaleError) in
                try view(found)
            }
        } catch {
            // A cycle of links. The tree knows only the path, so the place is added here.
            throw error.systemError == ELOOP ? error.at("\(label):\(path)") : error
        }
    }

    /// The entry at a path.
    ///
    /// Throws `notFound`, with a similar name as a hint, or `invalid` when a file is used as a directory.
    package func require(_ path: String, followingLinks: Bool = true) throws(ShaleError) -> ViewEntry {
        if let found = try entry(path, followingLinks: followingLinks) { return found }
        throw try MissingPath(view: self, path: path).error()
    }

    /// The entries of a directory, sorted by bytes; in a layer with its whiteouts.
    ///
    /// Throws what reading the layers throws.
    package func children(of directory: ViewEntry) throws(ShaleError) -> [ViewEntry] {
        guard let found = directory.found, tree.count > 0 else { return [] }
        var entries: [ViewEntry] = []
        for child in try tree.children(of: found) { entries.append(try view(child)) }
        return entries
    }

    /// Calls `body` for an entry and all entries below it, parents first, names in byte order.
    ///
    /// A directory is entered when `body` returns true.
    ///
    /// Throws `cancelled` when it is stopped, what `body` throws, and what reading the layers throws.
    package func walk(
        _ top: ViewEntry, _ cancellation: Cancellation, _ body: (ViewEntry) throws(ShaleError) -> Bool
    ) throws(ShaleError) {
        var pending = [top]
        while let entry = pending.popLast() {
            try cancellation.check()
            guard try body(entry), entry.kind == .directory else { continue }
            pending.append(contentsOf: try children(of: entry).reversed())
        }
    }

    // MARK: Contents

    /// Opens a regular file for reading.
    ///
    /// Throws `invalid`, with the kind, for anything else, and what reading the layer throws.
    package func open(_ entry: ViewEntry) throws(ShaleError) -> OwnedFD {
        let place = "\(label):\(entry.path)"
        switch entry.kind {
        case .file: break
        case .directory: throw ShaleError(.invalid, "\(place): is a directory", hint: "ls \(place)")
        case .whiteout:
            throw ShaleError(
                .invalid, "\(place): this layer deletes it, and has nothing of it",
                hint: "blame \(layers.subject):\(entry.path)")
        default: throw ShaleError(.invalid, "\(place): is a \(entry.kind.noun), not a file")
        }
        guard let found = entry.found else { throw ShaleError(.invalid, "\(place): is not a file") }
        return try layers.open(found.entry, of: entry.layer ?? layers.count, place: place)
    }

    /// The bytes of a file; `nil` when there is no such file.
    ///
    /// Throws `invalid` for a file of more than `limit` bytes, and what reading the layers and the file throws.
    package func contents(of path: String, limit: Int = 64 << 20) throws(ShaleError) -> [UInt8]? {
        guard let found = try entry(path, followingLinks: true), found.kind == .file else { return nil }
        guard found.size <= Int64(limit) else {
            throw ShaleError(
                .invalid, "\(label):\(path): \(HumanUnits.size(found.size)), too large to be read at once")
        }
        let file = try open(found)
        return try translating("\(label):\(path)") { try file.readAll(limit: limit) }
    }

    /// The bytes of a file in this view, or else in the whole image; empty when it cannot be read.
    package func wholeContents(of path: String, limit: Int) -> [UInt8] {
        if let bytes = try? contents(of: path, limit: limit) { return bytes }
        guard case .layer(let layers, _) = source, let image = try? PlaceView(.image(layers), label: label) else {
            return []
        }
        return (try? image.contents(of: path, limit: limit)) ?? []
    }

    /// The names of the extended attributes that archives contain.
    ///
    /// Throws what reading the file's attributes throws.
    package func attributeNames(of entry: ViewEntry) throws(ShaleError) -> [String] {
        try attributes(of: entry).map(\.name)
    }

    func attributes(of entry: ViewEntry) throws(ShaleError) -> [ExtendedAttribute] {
        guard let found = entry.found, tree.count > 0 else { return [] }
        return try tree.view(at: found.depth).attributes(found.entry)
    }

    /// The hash of a file in its layer's index; `nil` when the index has none.
    func knownHash(of entry: ViewEntry) throws(ShaleError) -> ContentHash? {
        guard let found = entry.found, tree.count > 0 else { return nil }
        return try tree.view(at: found.depth).file(found.entry).entry.contentHash
    }
}

extension ViewEntry.Kind {
    /// The kind in words, for messages.
    package var noun: String {
        switch self {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symbolic link"
        case .fifo: "named pipe"
        case .socket: "socket"
        case .characterDevice: "character device"
        case .blockDevice: "block device"
        case .whiteout: "whiteout"
        }
    }
}

extension ShaleError {
    /// The error with the whole place as its message, for an error that names only a path.
    func at(_ place: String) -> ShaleError {
        var copy = self
        copy.message = place
        copy.cause = cause ?? message
        return copy
    }
}
