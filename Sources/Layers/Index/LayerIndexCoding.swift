import Basics
import OCI

/// The format of the index file: magic and version, the entries, and a SHA-256 of both.
///
/// A path is stored as the number of bytes that it shares with the path before, and the rest. Numbers are LEB128.
extension LayerIndex {
    private static let magic = Array("shale layer index 1\n".utf8)

    package func encoded() -> [UInt8] {
        var writer = Writer(bytes: Self.magic)
        writer.bytes.reserveCapacity(entries.count * 96)
        writer.number(UInt64(entries.count))
        var last: [UInt8] = []
        for entry in entries {
            let path = Array(entry.path.utf8)
            let shared = zip(last, path).prefix { $0 == $1 }.count
            writer.number(UInt64(shared))
            writer.data(path[shared...])
            last = path
            writer.entry(entry)
        }
        return writer.bytes + Digest.contentHash(of: writer.bytes)
    }

    /// Reads an index; `nil` for a damaged one or one of another version.
    package init?(decoding bytes: [UInt8]) {
        guard bytes.count >= Self.magic.count + 32, bytes.starts(with: Self.magic),
            Digest.contentHash(of: bytes.dropLast(32)) == Array(bytes.suffix(32))
        else { return nil }
        let entries = bytes.withUnsafeBytes { all -> [LayerEntry]? in
            var reader = Reader(bytes: all, position: Self.magic.count, end: all.count - 32)
            guard let count = reader.number(), count <= UInt64(all.count) else { return nil }
            var entries: [LayerEntry] = []
            entries.reserveCapacity(Int(count))
            var path: [UInt8] = []
            for _ in 0..<count {
                guard let shared = reader.number(), shared <= UInt64(path.count), let rest = reader.data() else {
                    return nil
                }
                path.replaceSubrange(Int(shared)..., with: rest)
                guard let entry = reader.entry(path: String(decoding: path, as: UTF8.self)) else { return nil }
                entries.append(entry)
            }
            return reader.position == reader.end ? entries : nil
        }
        guard let entries else { return nil }
        self.entries = entries
    }
}

extension Digest {
    fileprivate static func contentHash(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var hasher = DigestHasher()
        hasher.update(bytes)
        return hasher.contentHash().bytes
    }
}

private struct EntryFlags: OptionSet {
    let rawValue: UInt8
    static let hash = EntryFlags(rawValue: 1)
    static let opaque = EntryFlags(rawValue: 2)
    static let implied = EntryFlags(rawValue: 4)
    static let copiedUp = EntryFlags(rawValue: 8)
    static let placeholder = EntryFlags(rawValue: 16)
    static let link = EntryFlags(rawValue: 32)
    static let device = EntryFlags(rawValue: 64)
    static let attributes = EntryFlags(rawValue: 128)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ entry: LayerEntry) {
        self = []
        if entry.contentHash != nil { insert(.hash) }
        if entry.isOpaque { insert(.opaque) }
        if entry.isImplied { insert(.implied) }
        if entry.isCopiedUp { insert(.copiedUp) }
        if entry.isPlaceholder { insert(.placeholder) }
        if !entry.link.isEmpty { insert(.link) }
        if entry.deviceMajor != 0 || entry.deviceMinor != 0 { insert(.device) }
        if !entry.attributes.isEmpty { insert(.attributes) }
    }
}

private struct Writer {
    var bytes: [UInt8]

    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func data(_ value: some Collection<UInt8>) {
        number(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func entry(_ entry: LayerEntry) {
        let flags = EntryFlags(entry)
        bytes.append(entry.kind.rawValue)
        bytes.append(flags.rawValue)
        number(UInt64(entry.mode))
        number(UInt64(entry.uid))
        number(UInt64(entry.gid))
        number(UInt64(bitPattern: entry.size))
        // Zigzag encoding, for times before 1970.
        number(UInt64(bitPattern: entry.modified.seconds << 1 ^ entry.modified.seconds >> 63))
        number(UInt64(UInt32(bitPattern: entry.modified.nanoseconds)))
        if flags.contains(.link) { data(entry.link.utf8) }
        if flags.contains(.device) {
            number(UInt64(entry.deviceMajor))
            number(UInt64(entry.deviceMinor))
        }
        if flags.contains(.attributes) {
            number(UInt64(entry.attributes.count))
            for attribute in entry.attributes {
                data(attribute.name.utf8)
                data(attribute.value)
            }
        }
        if let hash = entry.contentHash { bytes.append(contentsOf: hash.bytes) }
    }
}

private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var position: Int
    let end: Int

    mutating func byte() -> UInt8? {
        guard position < end else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64, let byte = byte() {
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }

    mutating func small() -> UInt32? { number().flatMap { UInt32(exactly: $0) } }

    mutating func data() -> UnsafeRawBufferPointer? {
        guard let count = number(), count <= UInt64(end - position) else { return nil }
        return take(Int(count))
    }

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count <= end - position else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func text() -> String? { data().map { String(decoding: $0, as: UTF8.self) } }

    mutating func entry(path: String) -> LayerEntry? {
        guard let kind = byte().flatMap(LayerEntry.Kind.init(rawValue:)), let bits = byte(), let mode = small(),
            let uid = small(), let gid = small(), let size = number(), let seconds = number(), let fraction = small()
        else { return nil }
        let flags = EntryFlags(rawValue: bits)
        let modified = Timestamp(
            seconds: Int64(bitPattern: seconds >> 1) ^ -Int64(bitPattern: seconds & 1),
            nanoseconds: Int32(bitPattern: fraction))
        var entry = LayerEntry(
            path: path, kind: kind, mode: mode, uid: uid, gid: gid, size: Int64(bitPattern: size), modified: modified,
            isOpaque: flags.contains(.opaque), isImplied: flags.contains(.implied),
            isCopiedUp: flags.contains(.copiedUp), isPlaceholder: flags.contains(.placeholder))
        if flags.contains(.link) {
            guard let link = text() else { return nil }
            entry.link = link
        }
        if flags.contains(.device) {
            guard let major = small(), let minor = small() else { return nil }
            (entry.deviceMajor, entry.deviceMinor) = (major, minor)
        }
        if flags.contains(.attributes) {
            guard let count = number(), count <= UInt64(end - position) else { return nil }
            for _ in 0..<count {
                guard let name = text(), let value = data() else { return nil }
                entry.attributes.append(ExtendedAttribute(name: name, value: Array(value)))
            }
        }
        if flags.contains(.hash) {
            guard let bytes = take(32), let hash = ContentHash(bytes: bytes) else { return nil }
            entry.contentHash = hash
        }
        return entry
    }
}
