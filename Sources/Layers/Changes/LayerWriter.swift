package import Basics
import Glibc
package import Linux
package import OCI

/// The result of writing a layer.
package struct WrittenLayer: Sendable {
    package var diffID: Digest
    /// The size of the tar, in bytes.
    package var size: Int64
    package var index: LayerIndex
}

/// Writes the changes of an upper directory as a layer's tar.
///
/// The same changes give the same bytes.
///
/// Members are sorted by path, parents first, with numeric owners and times in whole seconds. Deletions are explicit
/// whiteouts, which the specification prefers to opaque marks (image-spec v1.1, layer.md, "Opaque Whiteout"). Further
/// names of a file are hard links to its first name. Sockets are left out.
package enum LayerWriter {
    /// Writes `changes`, in the order of `ChangeFinder`.
    ///
    /// Times after `epoch` are set to `epoch`.
    ///
    /// Throws `unsupported` for a name that begins with `.wh.`, `cancelled` when it is stopped, and what reading the
    /// files or `sink` throws.
    package static func write(
        changes: [Change], upper: RootDirectory, clampingTo epoch: Timestamp? = nil,
        cancellation: Cancellation = Cancellation(), to sink: @escaping ByteSink
    ) throws(ShaleError) -> WrittenLayer {
        // Checked for each piece, because writing one large file may take minutes.
        let tar = TarWriter { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            try cancellation.check()
            try sink(bytes)
        }
        let last = LastDirectory()
        var index = LayerIndex()
        var entries = ChangeEntries(of: upper, last)
        for change in changes {
            try cancellation.check()
            guard var entry = try entries.next(change) else { continue }
            if entry.kind == .whiteout {
                try addWhiteout(entry.path, tar)
            } else {
                guard !change.path.nameHasWhiteoutPrefix else {
                    throw ShaleError(
                        .unsupported, "\(change.path): a layer cannot hold a name that begins with .wh.",
                        hint: "rename it, or remove it")
                }
                entry.modified = clamped(entry.modified, to: epoch)
                try add(&entry, upper, last, tar)
            }
            index.entries.append(entry)
        }
        let (diffID, size) = try tar.finish()
        return WrittenLayer(diffID: diffID, size: size, index: index)
    }

    /// The time in whole seconds, at most `epoch`.
    static func clamped(_ time: Timestamp, to epoch: Timestamp?) -> Timestamp {
        Timestamp(seconds: min(time.seconds, epoch?.seconds ?? time.seconds))
    }

    static func addWhiteout(_ path: String, _ tar: TarWriter) throws(ShaleError) {
        let parts = EntryPath(path.pathBytes)
        let name = (parts.parent.isEmpty ? "" : parts.parent + "/") + Whiteout.prefix + parts.name
        var entry = TarEntry(path: name.pathBytes, kind: .file)
        entry.mode = 0
        try tar.add(entry, contents: [])
    }

    private static func add(
        _ entry: inout LayerEntry, _ upper: RootDirectory, _ last: LastDirectory, _ tar: TarWriter
    ) throws(ShaleError) {
        guard entry.kind == .file else {
            try tar.add(TarEntry(entry))
            // An index has them only at the first name of a file.
            if entry.kind == .hardLink { entry.attributes = [] }
            return
        }
        let file = try open(entry.path, upper, last)
        entry.size = file.size
        entry.contentHash = try tar.add(TarEntry(entry), from: file.descriptor, hashing: true)
    }

    /// Opens a file of a tree.
    ///
    /// `layer` distinguishes the trees that share one `LastDirectory`.
    static func open(
        _ path: String, _ tree: RootDirectory, _ last: LastDirectory, layer: Int = 0
    ) throws(ShaleError) -> SizedFile {
        let place = EntryPath(path.pathBytes)
        do throws(SystemCallError) {
            return try last.with(place.parent, of: tree, layer: layer) { directory throws(SystemCallError) in
                try SizedFile.open(place.name, in: directory)
            }
        } catch {
            throw error.shaleError(path)
        }
    }
}

extension String {
    fileprivate var nameHasWhiteoutPrefix: Bool {
        guard let slash = utf8.lastIndex(of: 0x2F) else { return hasPrefix(Whiteout.prefix) }
        return utf8[utf8.index(after: slash)...].starts(with: Whiteout.prefix.utf8)
    }
}

extension TarEntry {
    /// Makes a tar member of an index entry.
    ///
    /// The path has no leading slash.
    init(_ entry: LayerEntry) {
        let kind: Kind =
            switch entry.kind {
            case .file: .file
            case .directory: .directory
            case .symlink: .symlink
            case .hardLink: .hardLink
            case .fifo: .fifo
            case .characterDevice, .whiteout: .characterDevice
            case .blockDevice: .blockDevice
            }
        self.init(path: Array(entry.path.pathBytes.drop { $0 == UInt8(ascii: "/") }), kind: kind)
        mode = entry.mode
        (uid, gid) = (Int64(entry.uid), Int64(entry.gid))
        size = entry.size
        modified = entry.modified
        link = entry.link.pathBytes
        if entry.kind == .hardLink { link = Array(link.drop { $0 == UInt8(ascii: "/") }) }
        (deviceMajor, deviceMinor) = (entry.deviceMajor, entry.deviceMinor)
        attributes = entry.attributes
    }
}
