package import Basics
package import Layers
package import Linux
package import Stores

/// The files of a place's image, layer or container, read without a mount and without a process.
///
/// An image is its layers merged; a container has its own on top; a layer is its own content alone, the whiteouts it
/// makes shown as such. Links are resolved inside. For one thread.
package final class PlaceView {
    package enum Source {
        case image(ImageLayers)
        case layer(ImageLayers, Int)
        case container(ContainerRecord, ImageLayers)
    }

    /// `ubuntu:22.04`, `ubuntu:22.04#2`: what stands before `:/` in messages.
    package let label: String
    package let source: Source
    package let tree: MergedTree
    /// Of a layer alone.
    private let index: LayerIndex?
    private let whiteouts: [PathKey: [LayerEntry]]

    package init(_ source: Source, label: String) throws(ShaleError) {
        self.source = source
        self.label = label
        switch source {
        case .image(let layers):
            tree = try layers.tree()
            index = nil
        case .container(let record, let layers):
            tree = try layers.tree(above: record)
            index = nil
        case .layer(let layers, let number):
            let index = try layers.index(number)
            tree = MergedTree(layers: [try layers.directory(number)], form: layers.form)
            self.index = index
        }
        var whiteouts: [PathKey: [LayerEntry]] = [:]
        for entry in index?.entries ?? [] where entry.kind == .whiteout {
            whiteouts[PathKey(entry.path.directoryPath), default: []].append(entry)
        }
        self.whiteouts = whiteouts
    }

    /// The image's layers below it all.
    package var layers: ImageLayers {
        switch source {
        case .image(let layers), .layer(let layers, _), .container(_, let layers): layers
        }
    }

    /// Whether there are any layers: an image from scratch may have none.
    private var isEmpty: Bool { tree.layers.isEmpty }

    private func view(_ entry: TreeEntry) -> ViewEntry? {
        switch source {
        case .image(let layers): return ViewEntry(entry, layer: layers.count - entry.layer)
        case .container(_, let layers):
            return ViewEntry(entry, layer: entry.layer == 0 ? nil : layers.count + 1 - entry.layer)
        case .layer(_, let number):
            var view = ViewEntry(entry, layer: number)
            if let known = index?[entry.path] {
                if known.isCopiedUp { return nil }
                view.correct(by: known)
            }
            return view
        }
    }

    // MARK: Looking

    /// What a path names, or `nil`; a link at its end is followed if asked.
    package func entry(_ path: String, followingLinks: Bool) throws(ShaleError) -> ViewEntry? {
        if isEmpty { return path.cleanPath == "/" ? ViewEntry(path: "/", kind: .directory) : nil }
        do throws(ShaleError) {
            if let found = try tree.entry(path, followingLinks: followingLinks) { return view(found) }
        } catch {
            throw error.at("\(label):\(path)")
        }
        let clean = path.cleanPath
        let hiding = whiteouts[PathKey(clean.directoryPath)]?.first { PathOrder.same($0.path, clean) }
        return hiding.map { whiteout($0) }
    }

    /// What a path names; `notFound` with the nearest name, or `invalid` where a file stands in for a directory.
    package func require(_ path: String, followingLinks: Bool = true) throws(ShaleError) -> ViewEntry {
        if let found = try entry(path, followingLinks: followingLinks) { return found }
        throw try MissingPath(view: self, path: path).error()
    }

    /// A directory's entries, sorted by bytes; in a layer with the whiteouts it makes there.
    package func children(of directory: ViewEntry) throws(ShaleError) -> [ViewEntry] {
        guard let below = directory.tree else { return [] }
        var found: [ViewEntry] = []
        for child in try tree.children(of: below) {
            if let child = view(child) { found.append(child) }
        }
        guard let removed = whiteouts[PathKey(directory.path)] else { return found }
        found += removed.map { whiteout($0) }
        return found.sorted { PathOrder.precedes($0.path, $1.path) }
    }

    /// Calls `body` for an entry and all below it, parents first, names by bytes.
    ///
    /// `body` says whether to go into a directory.
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

    private func whiteout(_ entry: LayerEntry) -> ViewEntry {
        var view = ViewEntry(path: entry.path, kind: .whiteout)
        if case .layer(_, let number) = source { view.layer = number }
        return view
    }

    // MARK: Contents

    /// A regular file's bytes to read; everything else is an error that says what it is.
    package func open(_ entry: ViewEntry) throws(ShaleError) -> OwnedFD {
        let place = "\(label):\(entry.path)"
        switch entry.kind {
        case .file: break
        case .directory: throw ShaleError(.invalid, "\(place): is a directory", hint: "ls \(place)")
        case .whiteout:
            throw ShaleError(
                .invalid, "\(place): this layer deletes it, and has nothing of it",
                hint: "blame \(layers.name):\(entry.path)")
        default: throw ShaleError(.invalid, "\(place): is a \(entry.kind.noun), not a file")
        }
        guard let found = entry.tree else { throw ShaleError(.invalid, "\(place): is not a file") }
        do throws(ShaleError) {
            return try tree.open(found)
        } catch {
            throw error.at(place)
        }
    }

    /// A file's bytes, `nil` where there is no such file; more than `limit` is an error.
    package func contents(of path: String, limit: Int = 64 << 20) throws(ShaleError) -> [UInt8]? {
        guard !isEmpty, let found = try tree.entry(path, followingLinks: true), found.status.kind == .regular else {
            return nil
        }
        let file = try tree.open(found)
        return try translating("\(label):\(path)") { try file.readAll(limit: limit) }
    }

    /// A file's bytes here, or else in the whole image; nothing for what cannot be read.
    package func wholeContents(of path: String, limit: Int) -> [UInt8] {
        if let bytes = try? contents(of: path, limit: limit) { return bytes }
        guard case .layer(let layers, _) = source, let tree = try? layers.tree() else { return [] }
        return (try? tree.contents(of: path, limit: limit)) ?? []
    }

    /// The attributes that travel in archives, by name.
    package func attributeNames(of entry: ViewEntry) throws(ShaleError) -> [String] {
        guard let found = entry.tree else { return [] }
        return try tree.attributes(of: found).map(\.name)
    }
}

extension ViewEntry.Kind {
    /// The kind in words.
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
    /// The same with the whole place in front, for errors of a tree that knows its paths alone.
    func at(_ place: String) -> ShaleError {
        var copy = self
        copy.message = place
        copy.cause = cause ?? message
        return copy
    }
}
