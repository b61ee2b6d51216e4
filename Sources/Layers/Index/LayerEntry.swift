package import Basics
package import OCI

/// One path of a layer: its attributes in the layer's tar, and the hash of its content.
package struct LayerEntry: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        case file, directory, symlink, hardLink, fifo, characterDevice, blockDevice
        /// The layer removes this path of lower layers.
        case whiteout
    }

    /// The absolute clean path with resolved links, such as `/etc/passwd`; `/` for the root.
    package var path: String
    package var kind: Kind
    /// The permission bits with set-ID and sticky bits, 0o0000–0o7777.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// The size of a file in bytes; 0 for everything else, also for a hard link.
    package var size: Int64
    package var modified: Timestamp
    /// The target text of a symbolic link, or the absolute path of the file to which a hard link refers.
    package var link: String
    package var deviceMajor: UInt32
    package var deviceMinor: UInt32
    package var attributes: [ExtendedAttribute]
    /// The SHA-256 hash of a file's content.
    package var contentHash: ContentHash?
    /// Whether it is a directory that hides the content that lower layers have in it (`.wh..wh..opq`).
    package var isOpaque: Bool
    /// Whether it is a parent directory that the tar does not name.
    ///
    /// It is made with mode 0755 and owner root:root.
    package var isImplied: Bool
    /// Whether it is a file of a lower layer that was copied for a hard link.
    ///
    /// It is not in the tar.
    package var isCopiedUp: Bool
    /// Whether it is a device that could not be made.
    ///
    /// An empty file is on disk instead.
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
