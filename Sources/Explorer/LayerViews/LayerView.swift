import Basics
import Layers

/// One layer's paths, as a tree of layers asks for them.
///
/// Paths are absolute, clean and without links. For one thread.
protocol LayerView: AnyObject {
    /// What the layer says of a path, whiteouts too; `nil` where it says nothing.
    func entry(_ path: String) throws(ShaleError) -> LayerEntry?

    /// What the layer has directly in a directory, whiteouts too, sorted by bytes.
    func children(of directory: String) throws(ShaleError) -> [LayerEntry]

    /// What stands behind an entry that is no directory.
    func file(_ entry: LayerEntry) throws(ShaleError) -> LayerViewFile

    /// The attributes that travel in archives.
    func attributes(_ entry: LayerEntry) throws(ShaleError) -> [ExtendedAttribute]
}

/// What a layer has at a path that is no directory.
struct LayerViewFile {
    /// A hard link with the attributes of the file it names, anything else as it is.
    var entry: LayerEntry
    /// How many names the file has in its layer.
    var names: UInt32 = 1
    /// What it is told by among those names; `nil` for what has one name.
    var identity: String?
    /// Layers have no sockets; what a container wrote may be one.
    var isSocket = false
}

/// A layer known by its index alone: an unpacked layer of the store, or one that still lies in a registry.
final class IndexedLayerView: LayerView {
    private let index: LayerIndex
    /// How many hard links name a path; counted on first use.
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
                // All of a directory lies between its slash and the byte after it.
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
