import Basics
import Crypto

/// SHA-256 over a stream of bytes.
package struct DigestHasher: Sendable {
    private var state = SHA256()
    /// Bytes seen so far.
    package private(set) var count: Int64 = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        state.update(bufferPointer: bytes)
        count += Int64(bytes.count)
    }

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let array = Array(bytes)
        array.withUnsafeBytes { update($0) }
    }

    /// The digest of what was seen so far; the hasher may go on.
    package func digest() -> Digest {
        Digest(sha256Hex: Self.hex(state.finalize()))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension Digest {
    /// The digest of bytes in memory.
    package static func of(_ bytes: some Sequence<UInt8>) -> Digest {
        var hasher = DigestHasher()
        hasher.update(bytes)
        return hasher.digest()
    }

    /// The chain ID of a stack of layers (image-spec v1.1, config.md, "Layer ChainID"); `nil` for no layer.
    package static func chainID(_ diffIDs: some Sequence<Digest>) -> Digest? {
        diffIDs.reduce(nil as Digest?) { parent, diffID in
            parent.map { Digest.of("\($0) \(diffID)".utf8) } ?? diffID
        }
    }
}
