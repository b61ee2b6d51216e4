import Basics
import Layers

/// One layer's paths, for a tree of layers.
///
/// Paths are absolute, clean and without links. Not thread-safe.
protocol LayerView: AnyObject {
    /// The layer's entry at a path, which may be a whiteout; `nil` when the layer has none.
    func entry(_ path: String) throws(ShaleError) -> LayerEntry?

    /// The layer's entries in a directory, with whiteouts, sorted by bytes.
    func children(of directory: String) throws(ShaleError) -> [LayerEntry]

    /// The facts of an entry that is no directory.
    func file(_ entry: LayerEntry) throws(ShaleError) -> LayerViewFile

    /// The extended attributes that archives contain.
    func attributes(_ entry: LayerEntry) throws(ShaleError) -> [ExtendedAttribute]
}

/// The facts of a layer's entry that is no directory.
struct LayerViewFile {
    /// The entry; a hard link has the attributes of its target.
    var entry: LayerEntry
    /// The number of hard links of the file in its layer.
    var names: UInt32 = 1
    /// The same text for all hard links of a file; `nil` for a file with one name.
    var identity: String?
    /// Whether it is a socket.
    ///
    /// Only a container's upper directory can have one.
    var isSocket = false
}

/// A layer that is read from its index: a layer of the store, or one in a registry.
final class IndexedLayerView: LayerView {
    private let index: LayerIndex
    /// The number of hard links to each path, counted when first needed.
    private var links: [PathKey: UInt32]?

    init(_ index: LayerIndex) { self.index = index }

    func entry(_ path: String) -> LayerEntry? {
        guard let found = index[path], !found.isCopiedUp else { return nil }
        return found
    }

    func children(of directory: String) -> [LayerEntry] {
        let prefix = directory == "/" ? "/" : directory + "/"
        let length = prefix.utf8.count
        var found: [LayerEntry] = []
        var position = index.position(notBefore: prefix)
        while position < index.entries.count {
            let entry = index.entries[position]
            let path = entry.path.utf8
            guard path.starts(with: prefix.utf8) else { break }
            let name = path.dropFirst(length)
            if let slash = name.firstIndex(of: 0x2F) {
                // Paths below a directory sort between its slash and the byte after the slash ("0").
                let below = String(entry.path[..<slash]) + "0"
                position = max(position + 1, index.position(notBefore: below))
                continue
            }
            if !name.isEmpty, !entry.isCopiedUp { found.append(entry) }
            position += 1
        }
        return found
    }

    func file(_ entry: LayerEntry) -> LayerViewFile {
        guard entry.kind == .file || entry.kind == .hardLink else { return LayerViewFile(entry: entry) }
        let target = entry.kind == .hardLink ? entry.link : entry.path
        let count = (countedLinks()[PathKey(target)] ?? 0) + 1
        var file = entry
        if entry.kind == .hardLink, let named = index[target] {
            file = named
            file.path = entry.path
        }
        return LayerViewFile(entry: file, names: count, identity: count > 1 ? target : nil)
    }

    private func countedLinks() -> [PathKey: UInt32] {
        if let links { return links }
        var counted: [PathKey: UInt32] = [:]
        for entry in index.entries where entry.kind == .hardLink { counted[PathKey(entry.link), default: 0] += 1 }
        links = counted
        return counted
    }

    func attributes(_ entry: LayerEntry) -> [ExtendedAttribute] { file(entry).entry.attributes }
}
