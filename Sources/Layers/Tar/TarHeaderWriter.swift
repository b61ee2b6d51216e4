import Basics
import Linux

/// The bytes of a member's header: ustar, with a PAX header in front only for values that ustar cannot hold.
///
/// The same entry gives the same bytes everywhere: numeric owners without names, whole seconds, no access or change
/// time, no vendor headers.
enum TarHeaderWriter {
    static let endOfArchive = [UInt8](repeating: 0, count: 1024)

    /// All header blocks of a member; `entry.path` without a leading slash, a directory's without a trailing one.
    static func blocks(for entry: TarEntry) -> [UInt8] {
        let path = entry.kind == .directory ? entry.path + [UInt8(ascii: "/")] : entry.path
        let size = entry.kind == .file ? entry.size : 0
        var records: [(key: String, value: [UInt8])] = []
        let place = split(path)
        if place == nil { records.append(("path", path)) }
        if entry.link.count > 100 || !isASCII(entry.link) { records.append(("linkpath", entry.link)) }
        if size > 0o77_777_777_777 { records.append(("size", decimal(size))) }
        if !fits(entry.uid, 7) { records.append(("uid", decimal(entry.uid))) }
        if !fits(entry.gid, 7) { records.append(("gid", decimal(entry.gid))) }
        if !fits(entry.modified.seconds, 11) { records.append(("mtime", decimal(entry.modified.seconds))) }
        for attribute in entry.attributes {
            records.append(("SCHILY.xattr." + attribute.name, attribute.value))
        }
        var bytes: [UInt8] = []
        if !records.isEmpty {
            let body = records.sorted { $0.key < $1.key }.flatMap { record(Array($0.key.utf8), $0.value) }
            var header = Fields(type: UInt8(ascii: "x"))
            header.put(Array("PaxHeaders.0/".utf8) + shortName(of: path), at: 0, length: 100)
            header.put(Int64(body.count), at: 124, length: 12)
            bytes += header.sealed() + body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
        }
        var header = Fields(type: typeFlag(entry.kind))
        header.put(place?.name ?? asciiPrefix(path), at: 0, length: 100)
        header.put(place?.prefix ?? [], at: 345, length: 155)
        header.put(Int64(entry.mode & 0o7777), at: 100, length: 8)
        header.put(fits(entry.uid, 7) ? entry.uid : 0, at: 108, length: 8)
        header.put(fits(entry.gid, 7) ? entry.gid : 0, at: 116, length: 8)
        header.put(size > 0o77_777_777_777 ? 0 : size, at: 124, length: 12)
        header.put(fits(entry.modified.seconds, 11) ? entry.modified.seconds : 0, at: 136, length: 12)
        header.put(isASCII(entry.link) ? entry.link : asciiPrefix(entry.link), at: 157, length: 100)
        header.put(Int64(entry.deviceMajor & 0o7777777), at: 329, length: 8)
        header.put(Int64(entry.deviceMinor & 0o7777777), at: 337, length: 8)
        return bytes + header.sealed()
    }

    private static func typeFlag(_ kind: TarEntry.Kind) -> UInt8 {
        switch kind {
        case .file: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symlink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }

    /// A path as ustar's prefix and name; `nil` when it does not fit or is not ASCII.
    private static func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        guard isASCII(path) else { return nil }
        if path.count <= 100 { return ([], path) }
        guard path.count <= 256 else { return nil }
        // A directory's own slash stays with its name.
        let end = path.last == UInt8(ascii: "/") ? path.count - 1 : path.count
        for slash in stride(from: min(155, end - 1), through: max(1, path.count - 101), by: -1)
        where path[slash] == UInt8(ascii: "/") {
            let name = Array(path[(slash + 1)...])
            if !name.isEmpty, name.count <= 100 { return (Array(path[..<slash]), name) }
        }
        return nil
    }

    private static func isASCII(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 < 0x80 } }
    private static func asciiPrefix(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.filter { $0 < 0x80 }.prefix(100)) }

    private static func shortName(of path: [UInt8]) -> [UInt8] {
        let name = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        return Array(asciiPrefix(name).prefix(80))
    }

    private static func fits(_ value: Int64, _ digits: Int) -> Bool { value >= 0 && value < 1 << (3 * Int64(digits)) }
    private static func decimal(_ value: Int64) -> [UInt8] { Array(String(value).utf8) }

    /// `length key=value\n`, the length counting its own digits.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = key.count + value.count + 3
        var length = rest + 1
        while length != rest + String(length).utf8.count { length = rest + String(length).utf8.count }
        return Array(String(length).utf8) + [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value
            + [UInt8(ascii: "\n")]
    }

    private struct Fields {
        private var bytes = [UInt8](repeating: 0, count: TarHeader.blockSize)

        init(type: UInt8) {
            bytes[156] = type
            put(Array("ustar\0".utf8) + Array("00".utf8), at: 257, length: 8)
            for offset in [100, 108, 116] { put(0, at: offset, length: 8) }
            for offset in [329, 337] { put(0, at: offset, length: 8) }
            put(0, at: 136, length: 12)
        }

        mutating func put(_ text: [UInt8], at offset: Int, length: Int) {
            let part = text.prefix(length)
            bytes.replaceSubrange(offset..<offset + part.count, with: part)
        }

        /// Octal digits and a NUL.
        mutating func put(_ number: Int64, at offset: Int, length: Int) {
            var value = number
            for place in stride(from: offset + length - 2, through: offset, by: -1) {
                bytes[place] = UInt8(0x30 + (value & 7))
                value >>= 3
            }
            bytes[offset + length - 1] = 0
        }

        /// The block with its checksum: six digits, NUL, space.
        consuming func sealed() -> [UInt8] {
            bytes.replaceSubrange(148..<156, with: repeatElement(0x20, count: 8))
            put(bytes.reduce(into: Int64(0)) { $0 += Int64($1) }, at: 148, length: 7)
            bytes[155] = 0x20
            return bytes
        }
    }
}
