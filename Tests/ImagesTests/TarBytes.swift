import TestSupport

/// A tar of whatever entries a test wants, valid or not in what they say.
struct TarBytes {
    private var bytes: [UInt8] = []

    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    mutating func file(_ path: String, _ content: [UInt8], mode: Int = 0o644, uid: Int = 0, gid: Int = 0) {
        add(path, type: "0", content: content, mode: mode, uid: uid, gid: gid)
    }

    mutating func directory(_ path: String, mode: Int = 0o755) { add(path, type: "5", mode: mode) }
    mutating func symlink(_ path: String, to target: String) { add(path, type: "2", link: target, mode: 0o777) }
    mutating func hardLink(_ path: String, to target: String) { add(path, type: "1", link: target) }

    mutating func add(
        _ path: String, type: Unicode.Scalar, link: String = "", content: [UInt8] = [], mode: Int = 0o644,
        uid: Int = 0, gid: Int = 0, device: (major: Int, minor: Int) = (0, 0), attributes: [(String, [UInt8])] = []
    ) {
        var records: [UInt8] = []
        if path.utf8.count > 100 { records += Self.record("path", Array(path.utf8)) }
        if link.utf8.count > 100 { records += Self.record("linkpath", Array(link.utf8)) }
        for (name, value) in attributes { records += Self.record("SCHILY.xattr.\(name)", value) }
        if !records.isEmpty { append(Self.header("pax", "x", "", records.count, 0o644, 0, 0, (0, 0)), records) }
        append(Self.header(path, type, link, content.count, mode, uid, gid, device), content)
    }

    mutating func global(_ records: [(String, String)]) {
        let body = records.flatMap { Self.record($0.0, Array($0.1.utf8)) }
        append(Self.header("global", "g", "", body.count, 0o644, 0, 0, (0, 0)), body)
    }

    private mutating func append(_ header: [UInt8], _ content: [UInt8]) {
        bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [10]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }

    private static func header(
        _ path: String, _ type: Unicode.Scalar, _ link: String, _ size: Int, _ mode: Int, _ uid: Int, _ gid: Int,
        _ device: (major: Int, minor: Int)
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, at offset: Int) {
            for (index, byte) in text.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, width - digits.count)) + digits).utf8)
        }
        put(path.utf8.prefix(100), at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(uid, 7), at: 108)
        put(octal(gid, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(1_700_000_000, 11), at: 136)
        put("        ".utf8, at: 148)
        block[156] = UInt8(ascii: type)
        put(link.utf8.prefix(100), at: 157)
        put("ustar\0".utf8, at: 257)
        put("00".utf8, at: 263)
        put(octal(device.major, 7), at: 329)
        put(octal(device.minor, 7), at: 337)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
        block[154] = 0
        block[155] = 0x20
        return block
    }

    /// A layer as the corpus writes it down.
    static func layer(_ entries: [JSONValue]) -> [UInt8] {
        var tar = TarBytes()
        for entry in entries {
            let name = entry["name"]?.string ?? ""
            let mode = entry["mode"]?.string.flatMap { Int($0, radix: 8) } ?? 0o644
            let types: [String: Unicode.Scalar] = [
                "reg": "0", "hardlink": "1", "symlink": "2", "char": "3", "block": "4", "dir": "5", "fifo": "6",
            ]
            if entry["type"]?.string == "xglobal" {
                tar.global([("path", name)])
                continue
            }
            let device = entry["dev"]?.array?.compactMap(\.int) ?? []
            tar.add(
                name, type: types[entry["type"]?.string ?? "reg"] ?? "0", link: entry["link"]?.string ?? "",
                content: Array((entry["content"]?.string ?? "").utf8), mode: mode, uid: entry["uid"]?.int ?? 0,
                gid: entry["gid"]?.int ?? 0, device: device.count == 2 ? (device[0], device[1]) : (0, 0),
                attributes: (entry["xattrs"]?.object ?? [:]).map { ($0.key, Array(($0.value.string ?? "").utf8)) })
        }
        return tar.finished
    }
}
