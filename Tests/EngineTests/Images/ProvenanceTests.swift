import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores
import Testing

@testable import Engine

/// What is kept of how images came to be, once the images are gone.
struct ProvenanceTests {
    @Test func whatLeadsToAnImageStaysAndTheRestGoes() throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine
        let here = try engine.store.blobs.put(Array("{}".utf8))
        let parent = Digest.of(Array("parent".utf8))
        let stage = Digest.of(Array("stage".utf8))
        let gone = Digest.of(Array("gone".utf8))
        let young = Digest.of(Array("young".utf8))
        var child = Provenance(parent: parent, base: nil, origin: .step(instruction: "RUN true", copied: []))
        child.from = stage
        try engine.keepProvenance(child, of: here)
        for other in [parent, stage, gone, young] {
            try engine.keepProvenance(Provenance(parent: nil, base: nil, origin: .imported("-")), of: other)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: engine.store.paths.provenance)
        where name != young.hex {
            let old = timespec(tv_sec: 1_000_000, tv_nsec: 0)
            utimensat(AT_FDCWD, "\(engine.store.paths.provenance)/\(name)", [old, old], 0)
        }
        _ = try engine.prune(PruneRequest(), Talk().conversation)
        for kept in [here, parent, stage, young] { #expect(try engine.provenance(of: kept) != nil) }
        #expect(try engine.provenance(of: gone) == nil)
    }

    @Test(arguments: ["", "{\"origin\":", "{}"]) func aDamagedRecordIsNotTakenForNone(_ text: String) throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine
        let image = try engine.store.blobs.put(Array("{}".utf8))
        let record = Provenance(parent: nil, base: nil, origin: .imported("-"))
        try engine.keepProvenance(record, of: image)
        try text.write(toFile: engine.store.paths.provenanceRecord(of: image), atomically: false, encoding: .utf8)
        #expect { try engine.provenance(of: image) } throws: { ($0 as? ShaleError)?.code == .corrupt }
        #expect(try engine.store.check().contains { $0.what.contains("the record of how it was made") })
        // Made once more, it is known again.
        try engine.keepProvenance(record, of: image)
        #expect(try engine.provenance(of: image) != nil)
        try text.write(toFile: engine.store.paths.provenanceRecord(of: image), atomically: false, encoding: .utf8)
        _ = try engine.store.check(repair: true)
        guard case .lost? = try engine.provenance(of: image)?.origin else {
            Issue.record("a repaired record says that it is lost")
            return
        }
        #expect(try engine.store.check().isEmpty)
    }

    @Test(arguments: ["", "sha256:12", nil]) func aDamagedListOfFilesLetsNothingBeCollected(_ text: String?) throws {
        let fixture = try EngineFixture()
        let engine = fixture.engine
        let file = try engine.store.blobs.put(Array("a copied file".utf8))
        var deed = Deed(.copyIn, arguments: ["f"])
        deed.payload = [file]
        let image = try engine.store.images.add(
            config: ImageConfig(platform: .host), layers: []
        ) { id throws(ShaleError) in
            try engine.keepProvenance(
                Provenance(
                    parent: nil, base: nil,
                    origin: .commit(container: "", name: "c", command: [], changes: [], deeds: [deed])), of: id)
        }
        engine.store.blobs.release([file])
        _ = try engine.prune(PruneRequest(), Talk().conversation)
        #expect(engine.store.blobs.contains(file))
        let list = engine.store.paths.keptFiles(of: image.id)
        if let text {
            try text.write(toFile: list, atomically: false, encoding: .utf8)
            #expect { try engine.prune(PruneRequest(), Talk().conversation) } throws: {
                ($0 as? ShaleError)?.code == .corrupt
            }
        } else {
            unlink(list)
        }
        #expect(try engine.store.check(repair: true).map(\.isRepaired) == [true])
        #expect(try engine.store.check().isEmpty)
        _ = try engine.prune(PruneRequest(), Talk().conversation)
        #expect(engine.store.blobs.contains(file))
    }
}
