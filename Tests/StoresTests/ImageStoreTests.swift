import Basics
import Glibc
import Linux
import OCI
import Stores
import TestSupport
import Testing

@Suite struct ImageStoreTests {
    let fixture: Fixture
    var store: Store { fixture.store }

    init() throws { fixture = try Fixture() }

    /// Also a blob that was here before has the size that a manifest announces.
    @Test(arguments: [0, 1, 12, Int64.max])
    func aLayerOfAnotherSizeIsRefused(size: Int64) throws {
        let image = try fixture.image(["a"], names: ["app"])
        var layer = image.manifest.layers[0]
        layer.size = size
        let other = try Reference(parsing: "other")
        #expect(
            message { _ = try store.images.add(config: image.config, layers: [layer], references: [other]) }
                == "blob \(layer.digest): 7 bytes instead of the \(size) announced")
        #expect(try store.names.resolve(other) == nil)
    }

    @Test func anImageIsFoundByEveryNameItHas() throws {
        let image = try fixture.image(["a"], names: ["busybox", "quay.io/me/box:1"])
        let texts = [
            "busybox", "busybox:latest", "docker.io/library/busybox", "quay.io/me/box:1", image.id.description,
            image.id.hex, image.id.short, String(image.id.hex.prefix(4)), "sha256:" + image.id.hex.prefix(6),
        ]
        for text in texts {
            let found = try store.images.find(text)
            #expect(found.id == image.id, "\(text)")
            #expect(found.references.map(\.familiar) == ["busybox:latest", "quay.io/me/box:1"])
            #expect(found.config == image.config)
            #expect(found.size == 1)
        }
    }

    @Test(arguments: [
        ("nope", "No such image: nope:latest"), ("nope:1", "No such image: nope:1"),
        ("quay.io/a/b", "No such image: quay.io/a/b:latest"),
        ("abcdef012345", "No such image: abcdef012345:latest"),
    ])
    func unknownNamesAreSaidAsDockerDoes(_ text: String, _ expected: String) throws {
        #expect(message { _ = try store.images.find(text) } == expected)
        #expect(code { _ = try store.images.find(text) } == .notFound)
    }

    @Test func malformedNamesAreInvalid() {
        #expect(code { _ = try store.images.find("Not/Lower:") } == .invalid)
    }

    @Test func aMovedNameLeavesADanglingImage() throws {
        let old = try fixture.image(["a"], names: ["app:1"])
        let new = try fixture.image(["b"], names: ["app:1"], created: 2000)
        #expect(try store.images.find("app:1").id == new.id)
        let all = try store.images.all()
        #expect(all.map(\.id) == [new.id, old.id])
        #expect(all.map(\.isDangling) == [false, true])
        #expect(try store.images.image(old.id).references.isEmpty)
    }

    @Test func taggingAndUntaggingKeepTheImage() throws {
        let image = try fixture.image(["a"], names: ["app:1"])
        try store.images.tag(image.id, as: fixture.reference("app:2"))
        try store.names.remove(fixture.reference("app:1"))
        #expect(try store.images.find("app:2").references.map(\.familiar) == ["app:2"])
        try store.names.remove(fixture.reference("app:2"))
        #expect(try store.images.image(image.id).references.isEmpty)
        try store.images.tag(image.id, as: fixture.reference("app:3"))
        #expect(try store.names.table().entries.count == 1)
    }

    @Test func buildStepsAreHiddenUntilAskedFor() throws {
        let base = try fixture.image(["a"], names: ["base"])
        let step = try fixture.image(["a", "b"], parent: base.id)
        let top = try fixture.image(["a", "b", "c"], names: ["top"], parent: step.id)
        #expect(try Set(store.images.all().map(\.id)) == [base.id, top.id])
        #expect(try store.images.all(includingIntermediate: true).count == 3)
        #expect(try store.images.children(of: step.id) == [top.id])
        #expect(try store.images.image(top.id).parent == step.id)
    }

    @Test func repositoryDigestsAreNames() throws {
        let image = try fixture.image(["a"], names: ["app:1"])
        let bytes = try store.blobs.bytes(image.manifestDescriptor.digest)
        let pinned = try fixture.reference("app").with(digest: image.manifestDescriptor.digest)
        _ = try store.images.add(manifest: bytes, mediaType: MediaType.ociManifest, repoDigest: pinned)
        #expect(try store.images.find(pinned.description).id == image.id)
        #expect(try store.images.find("app:1").repoDigests == [pinned])
        #expect(try store.names.table().entries.count == 1)
    }

    @Test func whatAnotherToolWroteIsUnderstood() throws {
        let image = try fixture.image(["a"], names: ["app:1"])
        let path = fixture.home + "/index.json"
        let plain = """
            {"schemaVersion":2,"manifests":[{"mediaType":"\(MediaType.ociManifest)","size":\(image.manifestDescriptor.size),
            "digest":"\(image.manifestDescriptor.digest)","annotations":{"org.opencontainers.image.ref.name":"v1","x":"y"}}]}
            """
        try fixture.write(plain, to: path)
        #expect(try store.images.find("v1").id == image.id)
        #expect(try store.images.all().first?.created == Timestamp(seconds: 1000))
        #expect(try fixture.text(of: path).contains("\"x\":\"y\""), "its annotations stay")
        #expect(try fixture.text(of: path).contains("dev.shale.image"))
    }

    @Test func anImageWithoutItsBlobsIsRefused() throws {
        let image = try fixture.image(["a"], names: ["app:1"])
        unlink(store.blobs.path(image.manifest.layers[0].digest))
        let bytes = try store.blobs.bytes(image.manifestDescriptor.digest)
        #expect(code { _ = try store.images.add(manifest: bytes, mediaType: MediaType.ociManifest) } == .notFound)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"schemaVersion\":2}", "{\"schemaVersion\":2,\"manifests\":[{}]}",
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:00\",\"size\":1}]}",
    ])
    func aDamagedIndexIsOneClearError(_ text: String) throws {
        try fixture.image(["a"], names: ["app:1"])
        try fixture.write(text, to: fixture.home + "/index.json")
        let other = try fixture.another()
        #expect(message { _ = try other.images.all() }?.hasPrefix("the store's index.json is damaged") == true)
        #expect(code { _ = try other.images.find("app:1") } == .corrupt)
    }

    @Test func namesSetAtTheSameTimeAreAllKept() throws {
        let image = try fixture.image(["a"])
        let home = fixture.home
        let references = try (0..<40).map { try fixture.reference("app:t\($0)") }
        let id = image.id
        try withThreads(4) { thread in
            let store = try Store(home: home, form: .current)
            for position in stride(from: thread, to: 40, by: 4) {
                try store.images.tag(id, as: references[position])
            }
        }
        #expect(try store.images.image(image.id).references.count == 40)
    }
}

@Suite struct LayerStoreTests {
    let fixture: Fixture
    var store: Store { fixture.store }

    init() throws { fixture = try Fixture() }

    @Test func layersLieLowestFirst() throws {
        let image = try fixture.image(["a", "b"])
        let paths = try store.layers.paths(for: image.config)
        #expect(try paths.map { try fixture.text(of: $0 + "/file") } == ["a", "b"])
        #expect(store.layers.missing(for: image.config).isEmpty)
        let second = image.config.rootfs.diffIDs[1]
        try store.layers.remove(named: second.hex)
        #expect(store.layers.missing(for: image.config) == [1])
        #expect(message { _ = try store.layers.paths(for: image.config) } == "layer \(second): not unpacked")
    }

    @Test func theSecondToUnpackALayerGivesWay() throws {
        let digest = Digest.of("layer".utf8)
        try fixture.unpack(digest, "first")
        try fixture.unpack(digest, "second")
        #expect(try store.layers.directory(digest, on: nil).contents(of: "file") == Array("first".utf8))
        #expect(store.layers.size(digest, on: nil) == LayerSize(tar: 1024, content: 5))
    }

    @Test func aLayerThatDependsOnItsLowersBelongsToThem() throws {
        let digest = Digest.of("layer".utf8)
        let chain = Digest.of("chain".utf8)
        let staging = try store.layers.beginUnpack()
        try store.layers.commit(
            staging, diffID: digest, index: [], size: LayerSize(tar: 1, content: 2), dependingOn: chain)
        #expect(store.layers.has(digest, on: chain))
        #expect(!store.layers.has(digest, on: nil))
        #expect(!store.layers.has(digest, on: Digest.of("other".utf8)))
    }

    @Test func anUpperDirectoryBecomesALayerByRename() throws {
        let image = try fixture.image(["a"])
        let container = try fixture.container(of: image)
        let upper = store.containers.folder(container.id).upper
        try fixture.write("new", to: upper + "/file")
        let inode = try FileStatus.of(hostPath: upper).inode
        let digest = Digest.of("upper".utf8)
        try store.layers.adopt(upper, diffID: digest, index: [], size: LayerSize(tar: 1, content: 3))
        let path = try #require(store.layers.path(digest, on: nil))
        #expect(try FileStatus.of(hostPath: path).inode == inode)
        #expect(access(upper, F_OK) != 0)
    }
}

@Suite struct LayerSettlingTests {
    @Test(arguments: [(isOld: true, isThisBoot: true), (true, false), (false, true), (false, false)])
    func layersOfAnEarlierBootAreNotTrusted(_ isOld: Bool, _ isThisBoot: Bool) throws {
        let fixture = try Fixture()
        let digest = Digest.of("layer".utf8)
        try fixture.unpack(digest, "text")
        let sign = fixture.home + "/layers.unsettled"
        let mark = "\(fixture.home)/layers/\(digest.hex)/unsettled"
        if !isThisBoot { for path in [sign, mark] { try fixture.write("an earlier boot", to: path) } }
        if isOld {
            let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
            utimensat(AT_FDCWD, sign, times, 0)
        }
        let store = try fixture.another()
        #expect(store.layers.has(digest, on: nil) == isThisBoot)
        #expect((access(mark, F_OK) == 0) == (isThisBoot && !isOld))
        #expect((access(sign, F_OK) == 0) == (isThisBoot && !isOld))
    }
}
