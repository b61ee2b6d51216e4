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

    /// The same in 32 bytes.
    package func contentHash() -> ContentHash {
        state.finalize().withUnsafeBytes { ContentHash(reading: $0) }
    }

    fileprivate static func hex(_ bytes: some Sequence<UInt8>) -> String {
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

    /// A SHA-256 in 32 bytes; `nil` for another algorithm's.
    package var contentHash: ContentHash? {
        let digits = Array(hex.utf8)
        guard algorithm == "sha256", digits.count == 64 else { return nil }
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { place in
            UInt8(String(decoding: digits[place..<place + 2], as: UTF8.self), radix: 16)
        }
        return bytes.withUnsafeBytes { ContentHash(bytes: $0) }
    }

    /// The chain ID of a stack of layers (image-spec v1.1, config.md, "Layer ChainID"); `nil` for no layer.
    package static func chainID(_ diffIDs: some Sequence<Digest>) -> Digest? {
        diffIDs.reduce(nil as Digest?) { parent, diffID in
            parent.map { Digest.of("\($0) \(diffID)".utf8) } ?? diffID
        }
    }
}

/// A SHA-256 in 32 bytes, for indexes with a hundred thousand of them.
package struct ContentHash: Sendable, Hashable {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    fileprivate init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }

    /// Reads 32 bytes, big end first; `nil` for any other count.
    package init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 32 else { return nil }
        self.init(reading: bytes)
    }

    /// `bytes` are 32.
    fileprivate init(reading bytes: UnsafeRawBufferPointer) {
        func word(_ place: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        }
        self.init(word(0), word(8), word(16), word(24))
    }

    /// The 32 bytes, big end first.
    package var bytes: [UInt8] {
        [first, second, third, fourth].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
        }
    }

    package var digest: Digest { Digest(sha256Hex: DigestHasher.hex(bytes)) }
}
