package import Basics

/// One member of a tar archive, as its header and extended headers describe it; nothing here is trusted.
package struct TarEntry: Sendable, Equatable {
    package enum Kind: Sendable, Hashable {
        case file, hardLink, symlink, characterDevice, blockDevice, directory, fifo
    }

    /// The name's own bytes, as they stand: `./a//b`, `/etc/x` and `../y` are possible.
    package var path: [UInt8]
    package var kind: Kind
    /// Permission bits with set-id and sticky, 0o0000–0o7777.
    package var mode: UInt32 = 0o644
    package var uid: Int64 = 0
    package var gid: Int64 = 0
    /// Bytes of the file, holes included; 0 for what is not a file.
    package var size: Int64 = 0
    package var modified = Timestamp.epoch
    /// The target of a symlink or hard link.
    package var link: [UInt8] = []
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    /// Extended attributes (`SCHILY.xattr.*`), sorted by name.
    package var attributes: [ExtendedAttribute] = []
    /// Where the stored bytes belong in a sparse file; `nil` for a file without holes.
    package var sparse: [SparseRegion]?

    package init(path: [UInt8], kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// The path for people, lossless.
    package var pathText: String { String(decoding: path, as: UTF8.self) }
}

/// An extended attribute's name and bytes.
package struct ExtendedAttribute: Sendable, Hashable {
    package var name: String
    package var value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// A stretch of a sparse file that is stored; the rest are holes.
package struct SparseRegion: Sendable, Hashable {
    package var offset: Int64
    package var length: Int64
}
