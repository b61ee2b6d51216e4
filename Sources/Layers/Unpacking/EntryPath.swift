import Basics
import Linux

/// The clean path of a member: without `.`, and with `..` resolved by text, never above the root.
struct EntryPath {
    let components: [String]

    init(_ bytes: [UInt8]) {
        var parts: [ArraySlice<UInt8>] = []
        for part in bytes.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
        }
        components = parts.map { String(pathBytes: $0) }
    }

    init(components: [String]) { self.components = components }

    var isRoot: Bool { components.isEmpty }
    /// The last path component.
    var name: String { components.last ?? "" }
    /// The path of its directory, without a leading slash.
    var parent: String { components.dropLast().joined(separator: "/") }
    /// The absolute path, as in indexes.
    var absolute: String { "/" + components.joined(separator: "/") }
}

/// The names of whiteouts in a layer's tar (image-spec v1.1, layer.md, "Whiteouts").
package enum Whiteout {
    package static let prefix = ".wh."
    package static let opaque = ".wh..wh..opq"
    /// The prefix of names that only aufs uses.
    static let metaPrefix = ".wh..wh."
}
