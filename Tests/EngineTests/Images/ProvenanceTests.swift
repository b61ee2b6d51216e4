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
        for kept in [here, parent, stage, young] { #expect(engine.provenance(of: kept) != nil) }
        #expect(engine.provenance(of: gone) == nil)
    }
}
