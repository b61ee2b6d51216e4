import Basics
import FoundationEssentials
import Layers
import Linux
import OCI
import Registries
import Stores
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct PushToRealRegistryTests {
    /// How skopeo writes the image that is pulled: docker and OCI types, gzip, zstd and plain layers.
    @Test(arguments: PullFromRealRegistryTests.forms) func anImageGoesBackAsItCame(_ options: [String]) throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        let noise = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        try SmallImage.writeDockerArchive(archive, layers: [[.init("etc/hello", "hello\n")], [.init("data", noise)]])
        try server.fill("docker-archive:\(archive)", as: "team/first:1", options: options)
        let other = try RegistryServer()
        let fixture = try ImageFixture()
        let pulled = try fixture.images.pull(
            Reference(parsing: "\(server.host)/team/first:1"), platform: nil, RecordedOperation().context)
        let target = try Reference(parsing: "\(other.host)/team/second:2")
        _ = try fixture.images.tag(pulled.image.id.description, as: target)
        let talk = RecordedOperation()
        let pushed = try fixture.images.push(target, talk.context)
        #expect(pushed.manifest.digest == pulled.digest)
        #expect(
            talk.lines == [
                "The push refers to repository [\(other.host)/team/second]",
                "2: digest: \(pulled.digest) size: \(pushed.manifest.size)",
            ])
        for layer in pulled.image.config.rootfs.diffIDs {
            #expect(talk.states(of: layer.short) == ["Preparing", "Pushed"])
        }
        let seen = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(target)"])
        #expect(Digest.of(seen.output) == pulled.digest)

        let again = RecordedOperation()
        _ = try fixture.images.push(target, again.context)
        #expect(again.states().filter { $0 != "Preparing" } == ["Layer already exists", "Layer already exists"])
        // Another repository of the registry that has it gets it without a byte.
        let third = try Reference(parsing: "\(other.host)/team/third:1")
        _ = try fixture.images.tag(pulled.image.id.description, as: third)
        let mounted = RecordedOperation()
        _ = try fixture.images.push(third, mounted.context)
        #expect(
            mounted.states().filter { $0 != "Preparing" }
                == ["Mounted from team/second", "Mounted from team/second"])
    }

    @Test(arguments: ["gzip", "gzip:1", "zstd", "zstd:19"]) func layersMadeHereArePackedOnce(_ text: String) throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        let words = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 / 1000) }
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")], [.init("words", words)]], tag: "\(server.host)/app:1")
        let fixture = try ImageFixture()
        let image = try fixture.load(archive)
        let packing = try Packing(parsing: text)
        let target = try Reference(parsing: "\(server.host)/app:1")
        let first = try fixture.images.push(target, packing: packing, RecordedOperation().context)
        #expect(first.manifest.digest != image.manifestDescriptor.digest)
        let kept = fixture.store.cache.all(.packed)
        #expect(kept.count == 2)
        let second = try fixture.images.push(target, packing: packing, RecordedOperation().context)
        #expect(second.manifest == first.manifest)
        // Made again from nothing, the bytes are the same.
        try fixture.store.cache.clear()
        let third = try fixture.images.push(target, packing: packing, RecordedOperation().context)
        #expect(third.manifest == first.manifest)
        #expect(Set(fixture.store.cache.all(.packed).map(\.key)) == Set(kept.map(\.key)))
        #expect(try fixture.store.check().isEmpty)

        let other = try ImageFixture()
        let back = try other.images.pull(target, platform: nil, RecordedOperation().context)
        #expect(back.image.id == image.id)
        #expect(back.digest == first.manifest.digest)
        let type = MediaType.packed(MediaType.ociLayer, by: packing.method.rawValue)
        #expect(back.image.manifest.layers.allSatisfy { $0.mediaType == type })
        #expect(try other.text("/etc/hello", in: back.image) == "hello\n")
    }

    @Test func keptLayersAreCheckedAndPruned() throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")]], tag: "\(server.host)/app:1")
        let fixture = try ImageFixture()
        let image = try fixture.load(archive)
        let target = try Reference(parsing: "\(server.host)/app:1")
        _ = try fixture.images.push(target, RecordedOperation().context)
        let kept = try #require(fixture.store.cache.all(.packed).first).key
        try Data("broken".utf8).write(to: URL(filePath: fixture.store.cache.path(.packed, kept)))
        #expect(try fixture.store.check().map(\.what).contains { $0.hasPrefix("packed layer \(kept)") })
        _ = try fixture.store.check(repair: true)
        #expect(fixture.store.cache.all(.packed).isEmpty)
        // Damaged without a change of its length, it is refused by the registry, and packed again.
        let first = try fixture.images.push(target, RecordedOperation().context)
        let path = fixture.store.cache.path(.packed, kept)
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        bytes[20] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        try FileManager.default.removeItem(atPath: server.folder.path + "/data")
        #expect(try fixture.images.push(target, RecordedOperation().context).manifest == first.manifest)
        #expect(try fixture.store.check().isEmpty)
        fixture.store.cache.remove(.packed, kept)
        _ = try fixture.images.push(target, RecordedOperation().context)
        #expect(fixture.store.cache.all(.packed).map(\.key) == [kept])
        _ = try fixture.images.removeImage(image.id.description, force: true)
        try fixture.prune()
        #expect(fixture.store.cache.all(.packed).isEmpty && fixture.store.cache.all(.packings).isEmpty)
    }

    @Test func namesThatAreNotHereAreToldInDockersWords() throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")]], tag: "\(server.host)/app:1")
        let fixture = try ImageFixture()
        let image = try fixture.load(archive)
        let push = { (name: String) -> ShaleError? in
            #expect(throws: ShaleError.self) {
                try fixture.images.push(Reference(parsing: name), RecordedOperation().context)
            }
        }
        #expect(push("\(server.host)/app:2")?.message == "tag does not exist: \(server.host)/app:2")
        #expect(push("other/app")?.message == "An image does not exist locally with the tag: other/app")
        #expect(push("\(server.host)/app@\(image.id)")?.message == "cannot push a digest reference")
        let none = #expect(throws: ShaleError.self) {
            try fixture.images.pushAll(Reference(parsing: "other/app"), RecordedOperation().context)
        }
        #expect(none?.message == "An image does not exist locally with the tag: other/app")

        _ = try fixture.images.tag(image.id.description, as: Reference(parsing: "\(server.host)/app:2"))
        let talk = RecordedOperation()
        let all = try fixture.images.pushAll(Reference(parsing: "\(server.host)/app"), talk.context)
        #expect(all.map(\.reference.tag) == ["1", "2"])
        #expect(talk.lines.count == 3)
    }

    @Test(arguments: ["gzip:0", "gzip:10", "gzip:x", "zstd:20", "zstd:0", "lz4", "gzip:", ""])
    func impossibleLevelsAreRefused(_ text: String) throws {
        let error = #expect(throws: ShaleError.self) { try Packing(parsing: text) }
        #expect(error?.code == .usage)
        #expect(error?.message.hasPrefix("--compression \(text)") == true)
    }
}

extension ImageFixture {
    /// Brings an archive of one image in.
    func load(_ archive: String) throws -> Image {
        let file = FDSource(try .open(archive, 0), subject: archive)
        return try #require(images.load(file, named: archive, RecordedOperation().context).first).image
    }
}
