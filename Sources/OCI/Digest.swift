package import Basics

/// A content digest, `algorithm:hex` (image-spec v1.1, descriptor.md, "Digests").
///
/// The grammar is distribution/reference's; `sha256` (64), `sha384` (96) and `sha512` (128 lower-case hex digits) are
/// known, and only `sha256` names blobs in the store.
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let algorithm: String
    /// The encoded part, after the colon.
    package let hex: String

    package var description: String { "\(algorithm):\(hex)" }
    /// The first 12 digits, as listings show them.
    package var short: String { String(hex.prefix(12)) }

    /// Throws `invalid` for anything that is not a digest of a known algorithm.
    package init(parsing text: String) throws(ShaleError) {
        // By bytes: a listing parses hundreds of these.
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw ShaleError(.invalid, "invalid checksum digest format")
        }
        let algorithm = text[..<colon]
        let hex = text.utf8[text.utf8.index(after: colon)...]
        let length =
            switch algorithm {
            case "sha256": 64
            case "sha384": 96
            case "sha512": 128
            default: throw ShaleError(.invalid, "unsupported digest algorithm")
            }
        guard hex.count == length else { throw ShaleError(.invalid, "invalid checksum digest length") }
        guard hex.allSatisfy(\.isLowercaseHexDigit) else {
            throw ShaleError(.invalid, "invalid checksum digest format")
        }
        self.algorithm = String(algorithm)
        self.hex = String(text[text.utf8.index(after: colon)...])
    }

    /// Wraps 64 hex digits that a hasher made.
    init(sha256Hex hex: String) {
        algorithm = "sha256"
        self.hex = hex
    }

    package static func < (left: Digest, right: Digest) -> Bool {
        (left.algorithm, left.hex) < (right.algorithm, right.hex)
    }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(parsing: container.decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
