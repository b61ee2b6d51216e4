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
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw ShaleError(.invalid, "invalid checksum digest format") }
        let lengths = ["sha256": 64, "sha384": 96, "sha512": 128]
        guard let length = lengths[String(parts[0])] else { throw ShaleError(.invalid, "unsupported digest algorithm") }
        guard parts[1].utf8.count == length else { throw ShaleError(.invalid, "invalid checksum digest length") }
        guard parts[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw ShaleError(.invalid, "invalid checksum digest format")
        }
        algorithm = String(parts[0])
        hex = String(parts[1])
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
