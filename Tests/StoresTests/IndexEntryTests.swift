import Basics
import OCI
import Testing

@testable import Stores

/// Entries of indexes in the table of images: an index without a name is not lost because its image has other entries.
@Suite struct IndexEntryTests {
    private let image = Digest.of(Array("image".utf8))

    private func entry(_ text: String, isIndex: Bool, name: String? = nil) throws -> ImageEntry {
        let type = isIndex ? MediaType.ociIndex : MediaType.ociManifest
        let descriptor = Descriptor(mediaType: type, digest: Digest.of(Array(text.utf8)), size: Int64(text.utf8.count))
        let reference = try name.map { try Reference(parsing: $0).withDefaultTag }
        return ImageEntry(manifest: descriptor, name: reference, image: image)
    }

    private func indexes(_ table: ImageTable) -> Set<Digest> {
        Set(table.entries.filter(\.isIndex).map(\.manifest.digest))
    }

    @Test func aMovedTagLeavesItsIndex() throws {
        var table = ImageTable()
        let (first, second) = (
            try entry("first", isIndex: true, name: "a:1"), try entry("second", isIndex: true, name: "a:1")
        )
        table.insert(first)
        table.insert(second)
        #expect(indexes(table) == [first.manifest.digest, second.manifest.digest])
        #expect(try table.entry(named: Reference(parsing: "a:1"))?.manifest.digest == second.manifest.digest)
    }

    @Test func otherNamesThatMoveLeaveIt() throws {
        var table = ImageTable()
        let index = try entry("index", isIndex: true)
        table.insert(try entry("plain", isIndex: false, name: "b:1"))
        table.insert(index)
        #expect(indexes(table) == [index.manifest.digest])
        let name = try Reference(parsing: "c:1").withDefaultTag.description
        table.setNames([name: try entry("plain", isIndex: false, name: "c:1")])
        #expect(indexes(table) == [index.manifest.digest])
        table.insert(contentsOf: [
            try entry("plain", isIndex: false, name: "d:1"), try entry("plain", isIndex: false, name: "e:1"),
        ])
        #expect(indexes(table) == [index.manifest.digest])
        #expect(table.entries.compactMap(\.name).count == 4)
    }

    @Test func removedByItsDigestItAloneGoes() throws {
        var table = ImageTable()
        let index = try entry("index", isIndex: true)
        table.insert(try entry("plain", isIndex: false, name: "b:1"))
        table.insert(index)
        let removal = try ImageRemoval.plan(index.manifest.digest.description, in: table, uses: [])
        #expect(removal.steps == [.deleteIndex(index.manifest.digest)])
        for step in removal.steps { ImageRemoval.apply(step, of: nil, to: &table) }
        #expect(indexes(table).isEmpty)
        #expect(table.entries.compactMap(\.name).count == 1)
    }
}
