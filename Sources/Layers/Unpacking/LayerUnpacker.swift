package import Basics
import Glibc
package import Linux
package import OCI

/// The result of unpacking a layer.
package struct UnpackedLayer: Sendable {
    /// The digest of all bytes of the uncompressed tar.
    package var diffID: Digest
    /// The size of the tar, in bytes.
    package var size: Int64
    /// The size of all files in it, in bytes.
    package var contentBytes: Int64
    package var index: LayerIndex
    /// Whether files of lower layers were copied into it.
    ///
    /// Then it can be used only above these layers.
    package var dependsOnLower: Bool
    /// The number of owners and devices that could not be set in a user namespace.
    ///
    /// The index has the right ones.
    package var refusals: Int
    package var compression: Compression
}

/// Unpacks one layer, a tar that may be compressed, into its own directory in the form of overlayfs.
///
/// The rules are those of docker's overlay2, where each layer is unpacked separately (image-spec v1.1, layer.md). A
/// whiteout becomes a character device 0:0, and an opaque mark becomes an attribute. Both affect only lower layers: a
/// file of the same layer with this name stays, independent of the order. Nothing is created, changed or read outside
/// the directory.
package struct LayerUnpacker {
    private let root: RootDirectory
    private let form: OverlayForm
    private let limits: UnpackLimits
    private let lower: (@Sendable () throws(ShaleError) -> [RootDirectory])?

    /// `root` is an empty directory.
    ///
    /// `lower` returns the layers below, the top first. It is called only when a hard link names a file that this layer
    /// does not have.
    package init(
        into root: RootDirectory, form: OverlayForm, limits: UnpackLimits = .standard,
        lower: (@Sendable () throws(ShaleError) -> [RootDirectory])? = nil
    ) {
        self.root = root
        self.form = form
        self.limits = limits
        self.lower = lower
    }

    /// Unpacks a layer.
    ///
    /// `subject` is the name in errors, such as `layer sha256:…`.
    ///
    /// Throws `corrupt` when the layer is damaged or larger than the limits, `cancelled` when it is stopped, and what
    /// reading the source or writing the files throws.
    package func unpack(
        _ source: any ByteSource, subject: String, cancellation: Cancellation
    ) throws(ShaleError) -> UnpackedLayer {
        let stream = try UnpackedStream(source, subject: subject, limits: limits, cancellation: cancellation)
        defer { stream.close() }
        let reader = TarReader(stream, subject: subject, limits: limits)
        let work = LayerUnpacking(root: root, form: form, subject: subject, lower: lower, limits: limits)
        while let entry = try reader.next() { try work.apply(entry, from: reader) }
        try reader.drain()
        let entries = try work.finish()
        return UnpackedLayer(
            diffID: stream.diffID, size: stream.size, contentBytes: work.files.contentBytes,
            index: LayerIndex(entries: entries), dependsOnLower: work.dependsOnLower,
            refusals: work.files.builder.refusals, compression: stream.compression)
    }
}

/// The state while one layer is unpacked.
private final class LayerUnpacking {
    let files: MemberWriter
    private let builder: TreeBuilder
    private let form: OverlayForm
    private let subject: String
    private let lower: (@Sendable () throws(ShaleError) -> [RootDirectory])?
    private(set) var dependsOnLower = false

    init(
        root: RootDirectory, form: OverlayForm, subject: String,
        lower: (@Sendable () throws(ShaleError) -> [RootDirectory])?, limits: UnpackLimits
    ) {
        let style = TreeBuilder.Style(overlay: form, isInNamespace: form == .user)
        builder = TreeBuilder(root: root, style: style, subject: subject)
        files = MemberWriter(builder: builder, limits: limits)
        self.form = form
        self.subject = subject
        self.lower = lower
    }

    func apply(_ entry: TarEntry, from reader: TarReader) throws(ShaleError) {
        let path = EntryPath(entry.path)
        guard !path.isRoot else { return try files.setRoot(entry) }
        if path.name.hasPrefix(Whiteout.prefix) { return try whiteout(path, entry) }
        if path.components.contains(where: { $0.hasPrefix(Whiteout.metaPrefix) }) { return }
        if entry.kind == .hardLink { return try link(path, entry) }
        try files.write(entry, at: path, from: reader)
    }

    // MARK: Whiteouts

    private func whiteout(_ path: EntryPath, _ entry: TarEntry) throws(ShaleError) {
        if path.name == Whiteout.opaque { return try makeOpaque(path, entry) }
        let name = String(path.name.unicodeScalars.dropFirst(Whiteout.prefix.count))
        guard !["", ".", ".."].contains(name) else {
            throw ShaleError(.corrupt, "\(subject): \(path.absolute): invalid whiteout name")
        }
        // Such names are those of aufs. They have no meaning in overlayfs.
        if path.name.hasPrefix(Whiteout.metaPrefix) { return }
        let parent = try builder.directory(path.parent, modified: entry.modified)
        let target = parent.absolute(name)
        switch builder.log[target]?.kind {
        case nil:
            try builder.naming(path.absolute) { () throws(SystemCallError) in
                try parent.descriptor.makeWhiteout(name)
            }
            builder.log.add(LayerEntry(path: target, kind: .whiteout, modified: entry.modified))
        case .directory: try hideLower(target)
        default: break
        }
    }

    /// Hides the content that lower layers have in a directory.
    ///
    /// The directory is made when necessary, and replaces another file.
    private func makeOpaque(_ path: EntryPath, _ entry: TarEntry) throws(ShaleError) {
        let directory = try builder.directory(path.parent, modified: entry.modified)
        try hideLower("/" + directory.path)
    }

    private func hideLower(_ path: String) throws(ShaleError) {
        try builder.naming(path) { () throws(SystemCallError) in
            try form.setOpaque(builder.root.directory(path))
        }
        if path == "/", builder.log["/"] == nil {
            builder.log.add(LayerEntry(path: "/", kind: .directory, mode: 0o755, isImplied: true))
        }
        builder.log.setOpaque(path)
    }

    // MARK: Hard links

    private func link(_ path: EntryPath, _ entry: TarEntry) throws(ShaleError) {
        let target = EntryPath(entry.link)
        guard !target.isRoot else {
            throw ShaleError(.corrupt, "\(subject): \(path.absolute): invalid hard link", cause: "to the root")
        }
        var found = try findInLayer(target)
        if found == nil { found = try copyUp(target, for: path, entry) }
        guard let origin = found else { return }
        let parent = try builder.directory(path.parent, modified: entry.modified)
        try builder.makeLink(
            path.name, in: parent, to: origin.name, in: origin.directory, modified: entry.modified)
    }

    private typealias Origin = (directory: TreeBuilder.OpenDirectory, name: String)

    /// The file in this layer.
    ///
    /// Links in its path are followed in this layer.
    private func findInLayer(_ target: EntryPath) throws(ShaleError) -> Origin? {
        let layer = MergedTree(layers: [builder.root], form: form)
        guard let found = try layer.entry(target.absolute, followingLinks: false) else { return nil }
        return try origin(found.path)
    }

    private func origin(_ path: String) throws(ShaleError) -> Origin {
        let place = EntryPath(path.pathBytes)
        let directory = try builder.directory(place.parent, modified: .epoch)
        return (directory, place.name)
    }

    /// Copies the file from the layers below, with its parent directories.
    private func copyUp(_ target: EntryPath, for path: EntryPath, _ entry: TarEntry) throws(ShaleError) -> Origin {
        let missing = ShaleError(
            .corrupt, "\(subject): link \(target.absolute) \(path.absolute)", cause: "no such file or directory")
        guard let lower else { throw missing }
        let tree = MergedTree(layers: [builder.root] + (try lower()), form: form)
        guard let found = try tree.entry(target.absolute, followingLinks: false), found.status.kind != .directory else {
            throw missing
        }
        dependsOnLower = true
        let place = EntryPath(found.path.pathBytes)
        for depth in 1..<max(place.components.count, 1) {
            let above = EntryPath(components: Array(place.components[..<depth]))
            guard builder.log[above.absolute] == nil,
                let entry = try tree.entry(above.absolute, followingLinks: false)
            else { continue }
            var copy = try tree.layerEntry(entry)
            (copy.isCopiedUp, copy.isOpaque) = (true, false)
            let parent = try builder.directory(above.parent, modified: copy.modified)
            try builder.makeDirectory(above.name, in: parent, as: copy)
        }
        var copy = try tree.layerEntry(found)
        copy.isCopiedUp = true
        let parent = try builder.directory(place.parent, modified: copy.modified)
        switch found.status.kind {
        case .regular:
            let file = try tree.open(found)
            try builder.makeFile(place.name, in: parent, as: copy) { target throws(ShaleError) in
                do throws(SystemCallError) {
                    try FileCopying.copy(from: file, to: target)
                } catch {
                    throw error.shaleError("\(subject): \(found.path)")
                }
                return nil
            }
        case .symlink: try builder.makeSymlink(place.name, in: parent, as: copy)
        default: try builder.makeNode(place.name, in: parent, as: copy)
        }
        return try origin(found.path)
    }

    // MARK: The end

    /// Removes whiteouts from opaque directories, where they hide nothing and would be visible, and then sets the
    /// metadata.
    func finish() throws(ShaleError) -> [LayerEntry] {
        if builder.log.hasOpaque { try dropNeedlessWhiteouts() }
        return try builder.finish()
    }

    private func dropNeedlessWhiteouts() throws(ShaleError) {
        var opaque: [String] = []
        for entry in builder.log.finished() {
            while let last = opaque.last, !entry.path.hasPrefix(last) { opaque.removeLast() }
            if entry.kind == .whiteout, !opaque.isEmpty {
                let path = EntryPath(entry.path.pathBytes)
                let parent = try builder.directory(path.parent, modified: .epoch)
                try builder.naming(entry.path) { () throws(SystemCallError) in
                    try builder.clear(path.name, in: parent)
                }
            }
            if entry.isOpaque { opaque.append(entry.path == "/" ? "/" : entry.path + "/") }
        }
    }
}
