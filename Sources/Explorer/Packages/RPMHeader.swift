/// An rpm header: an index of tags and a store with their values (rpm documentation, "Package Format").
struct RPMHeader {
    private struct Tag {
        var type: UInt32
        var offset: Int
    }

    private let bytes: [UInt8]
    private let store: Int
    private var tags: [UInt32: Tag] = [:]

    /// Reads a header as the database stores it, without the magic bytes of a package file.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 else { return nil }
        self.bytes = bytes
        let count = Int(Self.number(bytes, 0))
        guard count <= (bytes.count - 8) / 16 else { return nil }
        store = 8 + 16 * count
        for index in 0..<count {
            let entry = 8 + 16 * index
            let tag = Self.number(bytes, entry)
            if tags[tag] == nil {
                tags[tag] = Tag(type: Self.number(bytes, entry + 4), offset: Int(Self.number(bytes, entry + 8)))
            }
        }
    }

    private static func number(_ bytes: [UInt8], _ position: Int) -> UInt32 {
        bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func string(_ tag: UInt32) -> String? {
        // Types 6, 8 and 9 are strings. Of an array the first one is used.
        guard let found = tags[tag], [6, 8, 9].contains(found.type), store + found.offset < bytes.count else {
            return nil
        }
        return String(decoding: bytes[(store + found.offset)...].prefix { $0 != 0 }, as: UTF8.self)
    }

    private func integer(_ tag: UInt32) -> Int64? {
        guard let found = tags[tag], let width = [4: 4, 5: 8][found.type], store + found.offset + width <= bytes.count
        else {
            return nil
        }
        let start = store + found.offset
        return Int64(exactly: bytes[start..<start + width].reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
    }

    /// The package; `nil` for a signing key, which is stored in the same table.
    func package(path: String) -> InstalledPackage? {
        guard let name = string(1000), let version = string(1001), let release = string(1002), name != "gpg-pubkey"
        else {
            return nil
        }
        let epoch = integer(1003).map { "\($0):" } ?? ""
        return InstalledPackage(
            manager: .rpm, name: name, version: "\(epoch)\(version)-\(release)", architecture: string(1022) ?? "",
            size: integer(5009) ?? integer(1009), path: path)
    }
}
