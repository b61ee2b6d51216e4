import Basics
import Linux

/// A member's path, cleaned by its text: components without `.`, with `..` taken back, never above the root.
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
    /// The last component.
    var name: String { components.last ?? "" }
    /// The directory it is in, as a path without a leading slash.
    var parent: String { components.dropLast().joined(separator: "/") }
    /// As indexes name it.
    var absolute: String { "/" + components.joined(separator: "/") }
}

/// The names by which a layer's tar removes things (image-spec v1.1, layer.md, "Whiteouts").
package enum Whiteout {
    package static let prefix = ".wh."
    package static let opaque = ".wh..wh..opq"
    /// Names of aufs's own, which mean nothing elsewhere.
    static let metaPrefix = ".wh..wh."
}
