import CArchive

/// How a tar's bytes are packed.
package enum Compression: String, Sendable, Hashable {
    case none
    case gzip
    case bzip2
    case xz
    case zstd

    /// Tells it by the first bytes; what is nothing known is `none`.
    package static func detect(_ bytes: some Collection<UInt8>) -> Compression {
        let magic = Array(bytes.prefix(6))
        if magic.starts(with: [0x1F, 0x8B, 0x08]) { return .gzip }
        if magic.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return .zstd }
        // A zstd stream may begin with a skippable frame, as pzstd and zstd:chunked write them.
        if magic.count >= 4, magic[0] & 0xF0 == 0x50, magic[1...3].elementsEqual([0x2A, 0x4D, 0x18]) { return .zstd }
        if magic.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) { return .xz }
        if magic.count >= 4, magic.starts(with: [0x42, 0x5A, 0x68]), (0x31...0x39).contains(magic[3]) { return .bzip2 }
        return .none
    }

    var filter: shale_filter? {
        switch self {
        case .none: nil
        case .gzip: SHALE_FILTER_GZIP
        case .bzip2: SHALE_FILTER_BZIP2
        case .xz: SHALE_FILTER_XZ
        case .zstd: SHALE_FILTER_ZSTD
        }
    }
}
