package import Basics
import Layers
import Linux

/// One path of a view, as `ls`, `stat` and `find` show it.
package struct ViewEntry: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case file, directory, symlink, fifo, socket
        case characterDevice = "char"
        case blockDevice = "block"
        /// In a layer: deletes the path of lower layers.
        case whiteout
    }

    /// The absolute, clean path without links.
    package var path: String
    package var kind: Kind
    /// The permission bits, with set-id and sticky bits.
    package var mode: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// The size of a file or of a symbolic link's target, in bytes; 0 for everything else.
    package var size: Int64 = 0
    package var modified: Timestamp = .epoch
    /// The target of a symbolic link.
    package var link = ""
    /// The number of hard links.
    package var names: UInt32 = 1
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    /// The layer from which it comes, 1 is the lowest; `nil` for a container's own changes.
    package var layer: Int?
    /// In a layer: whether the directory hides the entries of lower layers.
    package var isOpaque = false
    /// The place in the tree; `nil` for an entry that was not read from a tree.
    var found: LayerViewTree.Found?
    /// The same text for all hard links of a file in a layer.
    var identity: String?

    package var name: String { path.lastPathComponent }

    /// The bytes of a file that sums of sizes count; 0 for everything else.
    package var storedSize: Int64 { kind == .file ? size : 0 }

    init(path: String, kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// The entry as its layer has it.
    ///
    /// A hard link becomes a file without its size.
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

    /// The entry from a file status.
    ///
    /// Its content cannot be opened.
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
    /// The absolute path without `.`, `..`, repeated or trailing slashes.
    ///
    /// No link is followed.
    package var cleanPath: String {
        var parts: [Substring] = []
        for part in pathParts where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
