import OCI
import Stores
import Testing

/// Many entries put in at once come to what they come to one after the other.
@Suite struct ImageTableBatchTests {
    private static func entry(_ image: Int, name: String? = nil, parent: Int? = nil) throws -> ImageEntry {
        let digest = Digest.of("manifest \(image)".utf8)
        return ImageEntry(
            manifest: Descriptor(mediaType: MediaType.ociManifest, digest: digest, size: 10),
            name: try name.map { try Reference(parsing: $0).withDefaultTag }, image: Digest.of("image \(image)".utf8),
            parent: parent.map { Digest.of("image \($0)".utf8) })
    }

    @Test(arguments: 0..<40) func asOneAfterTheOther(seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        func entries(_ count: Int) throws -> [ImageEntry] {
            try (0..<count).map { _ in
                let name = Int.random(in: 0..<8, using: &random)
                return try Self.entry(
                    .random(in: 0..<6, using: &random), name: name == 0 ? nil : "app:\(name)",
                    parent: Bool.random(using: &random) ? 1 : nil)
            }
        }
        let (old, new) = (try entries(seed % 10), try entries(2 + seed % 7))
        var single = ImageTable()
        for entry in old { single.insert(entry) }
        var batch = single
        for entry in new { single.insert(entry) }
        batch.insert(contentsOf: new)
        #expect(Set(batch.entries) == Set(single.entries), "old \(old), new \(new)")
        #expect(batch.entries.count == single.entries.count)
    }
}
