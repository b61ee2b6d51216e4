import FoundationEssentials
import Glibc
import OCI
import TestSupport

/// One path of an image, as the recordings tell it.
struct ImageFile: Hashable, CustomStringConvertible {
    var type: String
    var mode: Int
    var uid: Int
    var gid: Int
    var size: Int?
    var sha256: String?
    var target: String?
    /// Extended attributes, `name=value` each.
    var attributes: [String]?

    var description: String {
        let content = sha256.map { " \(size ?? 0) bytes \($0.prefix(12))" } ?? ""
        return "\(type) \(String(mode, radix: 8)) \(uid):\(gid)\(content)\(target.map { " -> \($0)" } ?? "")"
            + (attributes.map { " \($0)" } ?? "")
    }
}

/// An image read from a home as the OCI layout it is, by nothing of shale's: config, each layer's entries, final files.
struct BuiltImage {
    let config: JSONValue
    /// Path and type of each entry of each layer.
    private(set) var layers: [[String: String]] = []
    private(set) var files: [String: ImageFile] = [:]

    /// An image by its config, whose layers `blob` reads by their place.
    init(config: JSONValue, _ known: ImagesRead, reading blob: (Int) throws -> Data) throws {
        self.config = config
        try apply(config["rootfs"]?["diff_ids"]?.strings ?? [], known, reading: blob)
    }

    /// Reads the image whose config has this digest; of an index with this digest, its first image.
    init(_ id: String, home: String, _ known: ImagesRead = ImagesRead()) throws {
        func blob(_ digest: String) throws -> Data {
            try Data(contentsOf: URL(filePath: "\(home)/blobs/sha256/\(digest.dropFirst(7))"))
        }
        var (id, document) = (id, try JSONDecoder().decode(JSONValue.self, from: blob(id)))
        if let first = document["manifests"]?.array?.first?["digest"]?.string {
            let manifest = try JSONDecoder().decode(JSONValue.self, from: blob(first))
            id = manifest["config"]?["digest"]?.string ?? id
            document = try JSONDecoder().decode(JSONValue.self, from: blob(id))
        }
        config = document
        let layers = try known.layers(of: id, home: home, reading: blob)
        try apply(layers, known) { try blob(layers[$0]) }
    }

    private mutating func apply(
        _ digests: [String], _ known: ImagesRead, reading blob: (Int) throws -> Data
    ) throws {
        for (place, digest) in digests.enumerated() {
            let below = Array(digests[...place])
            if let tree = known.trees[below] {
                (layers, files) = tree
                continue
            }
            apply(try known.listing(digest) { try blob(place) })
            if place < ImagesRead.depth { known.trees[below] = (layers, files) }
        }
    }

    private mutating func apply(_ tar: TarListing) {
        var entries: [String: String] = [:]
        for (path, entry) in tar.entries {
            let parts = path.split(separator: "/")
            let name = parts.last.map(String.init) ?? ""
            let parent = parts.dropLast().reduce(into: "") { $0 += "/\($1)" }
            entries[path] = entry.type
            if name == ".wh..wh..opq" {
                files = files.filter { !$0.key.hasPrefix(parent + "/") }
            } else if name.hasPrefix(".wh.") {
                remove("\(parent)/\(name.dropFirst(4))")
            } else if entry.type == "hardlink" {
                if let linked = files[entry.target ?? ""] { files[path] = linked }
            } else {
                if entry.type != "dir", files[path]?.type == "dir" { remove(path) }
                if path != "/" { files[path] = entry }
            }
        }
        layers.append(entries)
    }

    private mutating func remove(_ path: String) {
        files = files.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
    }
}

/// What was read once, for images that share it.
final class ImagesRead {
    /// How many of an image's first layers are kept together: those of the base that most images share.
    static let depth = 2
    var trees: [[String]: (layers: [[String: String]], files: [String: ImageFile])] = [:]
    private var listings: [String: TarListing] = [:]
    /// Layers by the config's digest.
    private var manifests: [String: [String]] = [:]

    func listing(_ digest: String, reading blob: () throws -> Data) rethrows -> TarListing {
        if let listing = listings[digest] { return listing }
        let listing = TarListing(try blob())
        listings[digest] = listing
        return listing
    }

    /// The layers of an image in a home's index, which is read again for an image that was not there before.
    fileprivate func layers(of id: String, home: String, reading blob: (String) throws -> Data) throws -> [String] {
        if let layers = manifests[id] { return layers }
        let index = try JSONDecoder().decode(
            JSONValue.self, from: Data(contentsOf: URL(filePath: home + "/index.json")))
        var digests = Set((index["manifests"]?.array ?? []).compactMap { $0["digest"]?.string })
        while let digest = digests.popFirst() {
            let manifest = try JSONDecoder().decode(JSONValue.self, from: blob(digest))
            digests.formUnion((manifest["manifests"]?.array ?? []).compactMap { $0["digest"]?.string })
            guard let config = manifest["config"]?["digest"]?.string else { continue }
            manifests[config] = (manifest["layers"]?.array ?? []).compactMap { $0["digest"]?.string }
        }
        guard let layers = manifests[id] else { throw PeerError(text: "image \(id) is not in the index") }
        return layers
    }
}

/// The entries of a tar (ustar with pax records), in order.
struct TarListing {
    private(set) var entries: [(path: String, entry: ImageFile)] = []

    init(_ data: Data) {
        let bytes = [UInt8](data)
        var offset = 0
        var extended: [String: String] = [:]
        while offset + 512 <= bytes.count, bytes[offset] != 0 {
            let header = bytes[offset..<offset + 512]
            let size = extended["size"].flatMap { Int($0) } ?? Self.number(header, 124, 12)
            let start = offset + 512
            let content = bytes[start..<min(bytes.count, start + size)]
            offset = start + (size + 511) / 512 * 512
            let flag = header[header.startIndex + 156]
            if flag == UInt8(ascii: "x") {
                extended = Self.records(content)
                continue
            }
            if flag == UInt8(ascii: "g") { continue }
            add(header, flag, content, extended)
            extended = [:]
        }
    }

    private mutating func add(
        _ header: ArraySlice<UInt8>, _ flag: UInt8, _ content: ArraySlice<UInt8>, _ extended: [String: String]
    ) {
        let prefix = Self.text(header, 345, 155)
        let short = Self.text(header, 0, 100)
        let name = extended["path"] ?? (prefix.isEmpty ? short : "\(prefix)/\(short)")
        var entry = ImageFile(
            type: Self.types[flag] ?? "file", mode: Self.number(header, 100, 8) & 0o7777,
            uid: extended["uid"].flatMap { Int($0) } ?? Self.number(header, 108, 8),
            gid: extended["gid"].flatMap { Int($0) } ?? Self.number(header, 116, 8))
        let marks = extended.filter { $0.key.hasPrefix("SCHILY.xattr.") }.map { "\($0.key.dropFirst(13))=\($0.value)" }
        if !marks.isEmpty { entry.attributes = marks.sorted() }
        let link = extended["linkpath"] ?? Self.text(header, 157, 100)
        switch entry.type {
        case "file":
            entry.size = content.count
            entry.sha256 = String(Digest.of(Array(content)).description.dropFirst(7))
        case "symlink": entry.target = link
        case "hardlink": entry.target = Self.absolute(link)
        default: break
        }
        entries.append((Self.absolute(name), entry))
    }

    private static let types: [UInt8: String] = [
        UInt8(ascii: "1"): "hardlink", UInt8(ascii: "2"): "symlink", UInt8(ascii: "3"): "char",
        UInt8(ascii: "4"): "block", UInt8(ascii: "5"): "dir", UInt8(ascii: "6"): "fifo",
    ]

    private static func absolute(_ name: String) -> String {
        "/" + name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    private static func text(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> String {
        let start = header.startIndex + offset
        return String(decoding: header[start..<start + length].prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func number(_ header: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> Int {
        Int(text(header, offset, length).filter { $0 != " " }, radix: 8) ?? 0
    }

    /// `LENGTH KEY=VALUE\n` each.
    private static func records(_ content: ArraySlice<UInt8>) -> [String: String] {
        var found: [String: String] = [:]
        var rest = content
        while let space = rest.firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length <= rest.count, length > 0
        {
            let record = String(decoding: rest[space + 1..<rest.startIndex + length - 1], as: UTF8.self)
            let parts = record.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { found[String(parts[0])] = String(parts[1]) }
            rest = rest.dropFirst(length)
        }
        return found
    }
}
