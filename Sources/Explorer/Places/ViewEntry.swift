package import Basics
import Layers
import Linux

/// One path of a view: what `ls`, `stat` and `find` tell of it.
package struct ViewEntry: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case file, directory, symlink, fifo, socket
        case characterDevice = "char"
        case blockDevice = "block"
        /// In a layer: the path is removed from what lies below.
        case whiteout
    }

    /// Absolute and clean, no link in it.
    package var path: String
    package var kind: Kind
    /// Permission bits with set-id and sticky.
    package var mode: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// Bytes of a file, or of a symlink's text; 0 for everything else.
    package var size: Int64 = 0
    package var modified: Timestamp = .epoch
    /// A symlink's text.
    package var link = ""
    /// How many names it has.
    package var names: UInt32 = 1
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    /// The layer it comes from, 1 the lowest; `nil` for what a container itself wrote.
    package var layer: Int?
    /// In a layer: a directory that hides what lower layers have in it.
    package var isOpaque = false
    /// Where it stands in the tree; `nil` of what no tree was asked for.
    var found: LayerViewTree.Found?
    /// What a file of several names is told by among those of its layer.
    var identity: String?

    package var name: String { path.lastPathComponent }

    /// A file's or a symlink's own bytes on disk; what sums of sizes count.
    package var storedSize: Int64 { kind == .file ? size : 0 }

    init(path: String, kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// As a layer has it; a hard link as the file it is, without that file's size.
    init(_ entry: LayerEntry, layer: Int?) {
        path = entry.path
        kind = Kind(entry.kind)
        mode = entry.mode
        uid = entry.uid
        gid = entry.gid
        size = kind == .file ? entry.size : kind == .symlink ? Int64(entry.link.pathBytes.count) : 0
        modified = entry.modified
        link = kind == .symlink ? entry.link : ""
        deviceMajor = entry.deviceMajor
        deviceMinor = entry.deviceMinor
        isOpaque = entry.isOpaque
        self.layer = layer
    }

    /// As a status tells it, without knowing where its bytes lie.
    init(_ path: String, _ status: FileStatus, link: String = "") {
        self.path = path
        kind =
            switch status.kind {
            case .regular: .file
            case .directory: .directory
            case .symlink: .symlink
            case .fifo: .fifo
            case .socket: .socket
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            }
        mode = status.permissions
        uid = status.uid
        gid = status.gid
        size = kind == .file || kind == .symlink ? status.size : 0
        modified = status.modified
        self.link = link
        names = status.links
        if kind == .file, status.links > 1 { identity = "\(status.device):\(status.inode)" }
        if kind == .characterDevice || kind == .blockDevice {
            deviceMajor = status.rdevMajor
            deviceMinor = status.rdevMinor
        }
    }
}

extension ViewEntry.Kind {
    fileprivate init(_ kind: LayerEntry.Kind) {
        self =
            switch kind {
            case .file, .hardLink: .file
            case .directory: .directory
            case .symlink: .symlink
            case .fifo: .fifo
            case .characterDevice: .characterDevice
            case .blockDevice: .blockDevice
            case .whiteout: .whiteout
            }
    }
}

extension String {
    /// What follows the last slash; the whole text of the root.
    package var lastPathComponent: String {
        guard self != "/", let slash = utf8.lastIndex(of: 0x2F) else { return self }
        return String(self[utf8.index(after: slash)...])
    }

    /// The path above; `/` above a top-level one.
    package var directoryPath: String {
        guard let slash = utf8.lastIndex(of: 0x2F), slash != startIndex else { return "/" }
        return String(self[..<slash])
    }

    /// A path below this one.
    package func childPath(_ name: some StringProtocol) -> String { self == "/" ? "/\(name)" : "\(self)/\(name)" }

    /// Whether the path lies below a directory.
    package func isBelow(_ directory: String) -> Bool {
        let prefix = directory == "/" ? "/" : directory + "/"
        return utf8.count > prefix.utf8.count && utf8.starts(with: prefix.utf8)
    }

    /// Absolute and without `.`, `..`, doubled or trailing slashes, as text alone: no link is looked at.
    package var cleanPath: String {
        var parts: [Substring] = []
        for part in pathParts where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
