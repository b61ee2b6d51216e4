import Basics
import Layers
import OCI
import TestSupport
import Testing

@Suite("layer index")
struct LayerIndexTests {
    private static let index = LayerIndex(entries: [
        LayerEntry(path: "/", kind: .directory, mode: 0o755, modified: Timestamp(seconds: -3), isOpaque: true),
        LayerEntry(
            path: "/a", kind: .file, mode: 0o4755, uid: 1, gid: 4_000_000_000, size: 1 << 40,
            modified: Timestamp(seconds: 1, nanoseconds: 999_999_999),
            attributes: [ExtendedAttribute(name: "user.é", value: [0, 255])]),
        LayerEntry(path: "/a-b", kind: .hardLink, link: "/a"),
        LayerEntry(path: "/a/b", kind: .blockDevice, deviceMajor: 7, deviceMinor: 1 << 19, isPlaceholder: true),
        LayerEntry(path: "/cafe\u{301}", kind: .symlink, link: "café"),
        LayerEntry(path: "/café", kind: .whiteout),
    ])

    @Test("comes back from its bytes and from a file")
    func roundTrip() throws {
        #expect(LayerIndex(decoding: Self.index.encoded()) == Self.index)
        let folder = TemporaryDirectory()
        try Self.index.write(to: folder.path + "/index")
        #expect(try LayerIndex(reading: folder.path + "/index") == Self.index)
        #expect(LayerIndex(decoding: LayerIndex().encoded()) == LayerIndex())
    }

    @Test("finds a path by its bytes")
    func lookup() {
        for entry in Self.index.entries { #expect(Self.index[entry.path]?.kind == entry.kind) }
        #expect(Self.index["/b"] == nil)
        #expect(Self.index["/zzz"] == nil)
        #expect(Self.index.isRootOpaque)
    }

    @Test("a flipped bit or a missing byte anywhere is noticed")
    func damage() {
        let bytes = Self.index.encoded()
        for place in bytes.indices {
            var copy = bytes
            copy[place] ^= 0x10
            #expect(LayerIndex(decoding: copy) == nil, "byte \(place)")
        }
        #expect(LayerIndex(decoding: bytes.dropLast()) == nil)
        #expect(LayerIndex(decoding: []) == nil)
    }

    @Test("keeps content hashes")
    func hashes() {
        var hasher = DigestHasher()
        hasher.update("abc".utf8)
        let entry = LayerEntry(path: "/x", kind: .file, size: 3, contentHash: hasher.contentHash())
        #expect(entry.digest == Digest.of("abc".utf8))
        #expect(LayerIndex(decoding: LayerIndex(entries: [entry]).encoded())?.entries.first?.digest == entry.digest)
    }
}
