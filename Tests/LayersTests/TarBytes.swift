import Basics
import Layers
import Linux
import TestSupport

/// Makes tar archives for tests byte by byte, apart from the code under test.
struct TarBytes {
    private(set) var bytes: [UInt8] = []

    struct Member {
        var name: String
        var type: Character = "0"
        var content: [UInt8] = []
        var link = ""
        var mode = 0o644
        var uid = 0
        var gid = 0
        var mtime = 123
        var major = 0
        var minor = 0
        var pax: [(String, [UInt8])] = []
    }

    static func archive(_ members: [Member]) -> [UInt8] {
        var tar = TarBytes()
        for member in members { tar.add(member) }
        return tar.bytes + [UInt8](repeating: 0, count: 1024)
    }

    mutating func add(_ member: Member) {
        var pax = member.pax
        if member.name.utf8.count > 100 { pax.append(("path", Array(member.name.utf8))) }
        if !pax.isEmpty {
            addBlock(Member(name: "pax", type: "x"), pax.flatMap { Self.record($0.0, $0.1) })
        }
        addBlock(member, member.content)
    }

    /// A PAX record, its length found by trying.
    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [10]
        var length = body.count
        while String(length).utf8.count + body.count != length { length += 1 }
        return Array(String(length).utf8) + body
    }

    /// A header as it stands and data behind it, padded.
    mutating func addBlock(_ member: Member, _ data: [UInt8], size: Int? = nil) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, _ offset: Int, _ length: Int) {
            for (index, byte) in text.enumerated() where index < length { header[offset + index] = byte }
        }
        func octal(_ value: Int, _ offset: Int, _ length: Int) {
            let digits = String(value, radix: 8)
            put((String(repeating: "0", count: max(0, length - 1 - digits.count)) + digits).utf8, offset, length - 1)
        }
        put(member.name.pathBytes, 0, 100)
        octal(member.mode, 100, 8)
        octal(member.uid, 108, 8)
        octal(member.gid, 116, 8)
        octal(size ?? data.count, 124, 12)
        octal(member.mtime, 136, 12)
        put("        ".utf8, 148, 8)
        header[156] = member.type.asciiValue ?? 0
        put(member.link.pathBytes, 157, 100)
        put("ustar\u{0}00".utf8, 257, 8)
        octal(member.major, 329, 8)
        octal(member.minor, 337, 8)
        octal(header.reduce(0) { $0 + Int($1) }, 148, 7)
        bytes += header + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// A layer of `layer-cases/tar-layers`.
    static func layer(_ entries: [JSONValue]) -> [UInt8] { archive(entries.map(member)) }

    private static func member(_ entry: JSONValue) -> Member {
        let types: [String: Character] = [
            "reg": "0", "hardlink": "1", "symlink": "2", "char": "3", "block": "4", "dir": "5", "fifo": "6",
            "xglobal": "g",
        ]
        var member = Member(name: entry["name"]?.string ?? "")
        member.type = types[entry["type"]?.string ?? "reg"] ?? "0"
        member.content = Array((entry["content"]?.string ?? "").utf8)
        if member.type == "g" { member.content = record("comment", Array("x".utf8)) }
        member.link = entry["link"]?.string ?? ""
        member.mode = entry["mode"]?.string.flatMap { Int($0, radix: 8) } ?? 0o644
        member.uid = entry["uid"]?.int ?? 0
        member.gid = entry["gid"]?.int ?? 0
        member.major = entry["dev"]?.array?.first?.int ?? 0
        member.minor = entry["dev"]?.array?.last?.int ?? 0
        for (name, value) in entry["xattrs"]?.object ?? [:] {
            let bytes = (value.string ?? "").unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            member.pax.append(("SCHILY.xattr.\(name)", bytes))
        }
        return member
    }
}

/// A directory that layers are unpacked into, one below the other.
struct LayerStack {
    let home = TemporaryDirectory()
    /// From the top.
    private(set) var roots: [RootDirectory] = []
    private(set) var unpacked: [UnpackedLayer] = []

    var tree: MergedTree { MergedTree(layers: roots) }
    var outside: String { home.path }

    mutating func makeDirectory() throws -> RootDirectory {
        let path = "\(home.path)/layer\(roots.count)"
        try RootDirectory(hostPath: home.path).makeDirectories("layer\(roots.count)")
        return try RootDirectory(hostPath: path)
    }

    @discardableResult
    mutating func push(_ archive: [UInt8], limits: UnpackLimits = .standard) throws -> UnpackedLayer {
        let root = try makeDirectory()
        let lowers = roots
        let unpacker = LayerUnpacker(into: root, form: .current, limits: limits) { lowers }
        let layer = try unpacker.unpack(BytesSource(archive), subject: "layer test", cancellation: Cancellation())
        roots.insert(root, at: 0)
        unpacked.append(layer)
        return layer
    }

    mutating func push(root: RootDirectory) { roots.insert(root, at: 0) }
}
