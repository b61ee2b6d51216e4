import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores
import Testing

@testable import Images

/// What is kept of how images came to be, once the images are gone.
struct ProvenanceTests {
    @Test func whatLeadsToAnImageStaysAndTheRestGoes() throws {
        let fixture = try ImageFixture()
        let images = fixture.images
        let here = try images.store.blobs.put(Array("{}".utf8))
        let parent = Digest.of(Array("parent".utf8))
        let stage = Digest.of(Array("stage".utf8))
        let gone = Digest.of(Array("gone".utf8))
        let young = Digest.of(Array("young".utf8))
        var child = Provenance(parent: parent, base: nil, origin: .step(instruction: "RUN true", copied: []))
        child.from = stage
        try images.keepProvenance(child, of: here)
        for other in [parent, stage, gone, young] {
            try images.keepProvenance(Provenance(parent: nil, base: nil, origin: .imported("-")), of: other)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: images.store.paths.provenance)
        where name != young.hex {
            let old = timespec(tv_sec: 1_000_000, tv_nsec: 0)
            utimensat(AT_FDCWD, "\(images.store.paths.provenance)/\(name)", [old, old], 0)
        }
        _ = try fixture.prune()
        for kept in [here, parent, stage, young] { #expect(try images.provenance(of: kept) != nil) }
        #expect(try images.provenance(of: gone) == nil)
    }

    @Test(arguments: ["", "{\"origin\":", "{}"]) func aDamagedRecordIsNotTakenForNone(_ text: String) throws {
        let fixture = try ImageFixture()
        let images = fixture.images
        let image = try images.store.blobs.put(Array("{}".utf8))
        let record = Provenance(parent: nil, base: nil, origin: .imported("-"))
        try images.keepProvenance(record, of: image)
        try text.write(toFile: images.store.paths.provenanceRecord(of: image), atomically: false, encoding: .utf8)
        #expect { try images.provenance(of: image) } throws: { ($0 as? ShaleError)?.code == .corrupt }
        #expect(try images.store.check().contains { $0.what.contains("the record of how it was made") })
        // Made once more, it is known again.
        try images.keepProvenance(record, of: image)
        #expect(try images.provenance(of: image) != nil)
        try text.write(toFile: images.store.paths.provenanceRecord(of: image), atomically: false, encoding: .utf8)
        _ = try images.store.check(repair: true)
        guard case .lost? = try images.provenance(of: image)?.origin else {
            Issue.record("a repaired record says that it is lost")
            return
        }
        #expect(try images.store.check().isEmpty)
    }

    @Test(arguments: ["", "sha256:12", nil]) func aDamagedListOfFilesLetsNothingBeCollected(_ text: String?) throws {
        let fixture = try ImageFixture()
        let images = fixture.images
        let file = try images.store.blobs.put(Array("a copied file".utf8))
        var event = ContainerEvent(.copyIn, arguments: ["f"])
        event.payload = [file]
        let image = try images.store.images.add(
            config: ImageConfig(platform: .host), layers: []
        ) { id throws(ShaleError) in
            try images.keepProvenance(
                Provenance(
                    parent: nil, base: nil,
                    origin: .commit(container: "", name: "c", command: [], changes: [], events: [event])), of: id)
        }
        images.store.blobs.release([file])
        _ = try fixture.prune()
        #expect(images.store.blobs.contains(file))
        let list = images.store.paths.keptFiles(of: image.id)
        if let text {
            try text.write(toFile: list, atomically: false, encoding: .utf8)
            #expect { try fixture.prune() } throws: {
                ($0 as? ShaleError)?.code == .corrupt
            }
        } else {
            unlink(list)
        }
        #expect(try images.store.check(repair: true).map(\.isRepaired) == [true])
        #expect(try images.store.check().isEmpty)
        _ = try fixture.prune()
        #expect(images.store.blobs.contains(file))
    }
}
