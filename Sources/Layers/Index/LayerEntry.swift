package import Basics
package import OCI

/// One path of a layer: what the layer's tar says of it, and its contents' hash.
package struct LayerEntry: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        case file, directory, symlink, hardLink, fifo, characterDevice, blockDevice
        /// The layer removes the path from what lies below it.
        case whiteout
    }

    /// Absolute, clean, links resolved: `/etc/passwd`; `/` is the root.
    package var path: String
    package var kind: Kind
    /// Permission bits with set-id and sticky, 0o0000–0o7777.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// Bytes of a file; 0 for everything else, a hard link too.
    package var size: Int64
    package var modified: Timestamp
    /// A symlink's text, or the absolute path of the file a hard link is another name of.
    package var link: String
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    package var attributes: [ExtendedAttribute]
    /// SHA-256 of a file's contents.
    package var contentHash: ContentHash?
    /// A directory that hides what lower layers have in it (`.wh..wh..opq`).
    package var isOpaque: Bool
    /// A parent that the tar does not name, made 0755 root:root because something below needed it.
    package var isImplied: Bool
    /// A file of a lower layer, copied into this one because a hard link needed it; not in the tar.
    package var isCopiedUp: Bool
    /// A device the kernel did not let us make: an empty file stands for it on disk.
    package var isPlaceholder: Bool

    package var digest: Digest? { contentHash?.digest }

    package init(
        path: String, kind: Kind, mode: UInt32 = 0, uid: UInt32 = 0, gid: UInt32 = 0, size: Int64 = 0,
        modified: Timestamp = .epoch, link: String = "", deviceMajor: UInt32 = 0, deviceMinor: UInt32 = 0,
        attributes: [ExtendedAttribute] = [], contentHash: ContentHash? = nil, isOpaque: Bool = false,
        isImplied: Bool = false, isCopiedUp: Bool = false, isPlaceholder: Bool = false
    ) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.modified = modified
        self.link = link
        self.deviceMajor = deviceMajor
        self.deviceMinor = deviceMinor
        self.attributes = attributes
        self.contentHash = contentHash
        self.isOpaque = isOpaque
        self.isImplied = isImplied
        self.isCopiedUp = isCopiedUp
        self.isPlaceholder = isPlaceholder
    }
}
