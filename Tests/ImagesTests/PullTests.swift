import Basics
import FoundationEssentials
import Linux
import OCI
import Registries
import Stores
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct PullFromRealRegistryTests {
    /// How skopeo writes the same image: docker and OCI types, gzip, zstd and plain layers.
    static let forms: [[String]] = [
        ["--format", "v2s2"], ["--format", "oci"], ["--format", "oci", "--dest-compress-format", "zstd"],
        ["--preserve-digests"],
    ]

    @Test(arguments: forms) func bringsEveryForm(_ options: [String]) throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        let noise = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")], [.init("data", noise), .init("etc/more", "more\n")]])
        try server.fill("docker-archive:\(archive)", as: "library/ubuntu:22.04", options: options)
        let fixture = try ImageFixture { $0.mirrors = ["docker.io": server.url] }
        let talk = RecordedOperation()
        let reference = try Reference(parsing: "ubuntu:22.04")
        let result = try fixture.images.pull(reference, platform: nil, talk.context)
        #expect(result.isNew)
        #expect(result.image.references.map(\.familiar) == ["ubuntu:22.04"])
        #expect(result.image.config.rootfs.diffIDs.count == 2)
        #expect(try fixture.text("/etc/hello", in: result.image) == "hello\n")
        #expect(try fixture.text("/etc/more", in: result.image) == "more\n")
        #expect(
            talk.lines == [
                "22.04: Pulling from library/ubuntu", "Digest: \(result.digest)",
                "Status: Downloaded newer image for ubuntu:22.04",
            ])
        for layer in result.image.manifest.layers {
            let states = talk.states(of: layer.digest.short)
            #expect(states == ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"])
        }
        let again = RecordedOperation()
        let second = try fixture.images.pull(reference, platform: nil, again.context)
        #expect(!second.isNew)
        #expect(second.image.id == result.image.id)
        #expect(again.lines.last == "Status: Image is up to date for ubuntu:22.04")
        #expect(again.states() == ["Already exists", "Already exists"])
        #expect(fixture.partials.isEmpty)
    }

    @Test func theStoreIsALayoutThatPeersRead() throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(archive, layers: [[.init("etc/hello", "hello\n")]])
        try server.fill("docker-archive:\(archive)", as: "library/ubuntu:22.04", options: ["--format", "oci"])
        let fixture = try ImageFixture { $0.mirrors = ["docker.io": server.url] }
        let result = try fixture.images.pull(
            Reference(parsing: "ubuntu:22.04"), platform: nil, RecordedOperation().context)
        let output = try Peers.skopeo.run(
            ["inspect", "--raw", "oci:\(fixture.home):docker.io/library/ubuntu:22.04"])
        #expect(Digest.of(output.output) == result.image.manifestDescriptor.digest)
    }

    @Test func aMissingTagNamesThoseThatExist() throws {
        let server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(archive, layers: [[.init("etc/hello", "hello\n")]])
        try server.fill("docker-archive:\(archive)", as: "nordstrom/hello-world:2.0")
        let fixture = try ImageFixture { $0.mirrors = ["quay.io": server.url] }
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.pull(
                Reference(parsing: "quay.io/nordstrom/hello-world"), platform: nil, RecordedOperation().context)
        }
        #expect(
            error?.description
                == "manifest for quay.io/nordstrom/hello-world:latest not found: manifest unknown: manifest unknown")
        #expect(error?.hint?.hasPrefix("pull quay.io/nordstrom/hello-world:2.0") ?? false)
        #expect(try fixture.store.images.all().isEmpty)
    }
}

@Suite struct PullFromStaticRegistryTests {
    static let low = SmallImage.tar([.init("etc/", ""), .init("etc/low", "low\n")])
    static let high = SmallImage.tar([.init("etc/high", "high\n")])

    @Test func choosesThePlatform() throws {
        let registry = try StaticRegistry()
        let arm = Platform(os: "linux", architecture: "arm64", variant: "v8")
        var index = Index()
        for platform in [arm, Platform(os: "linux", architecture: "amd64")] {
            let layer = SmallImage.tar([.init("arch", platform.architecture)])
            var entry = try registry.image([layer], tag: nil, platform: platform)
            entry.platform = platform
            index.manifests.append(entry)
        }
        let bytes = Array(try OCIDocument.encode(index))
        let descriptor = registry.manifest(bytes, type: MediaType.ociIndex, tag: "1")
        let fixture = try ImageFixture()
        let reference = try registry.reference("app:1")
        let result = try fixture.images.pull(
            reference, platform: try Platform(parsing: "linux/arm64"), RecordedOperation().context)
        #expect(result.digest == descriptor.digest)
        #expect(try fixture.text("/arch", in: result.image) == "arm64")
        #expect(result.image.repoDigests == [reference.with(digest: descriptor.digest)])
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.pull(
                reference, platform: try Platform(parsing: "linux/s390x"), RecordedOperation().context)
        }
        #expect(error?.message == "no matching manifest for linux/s390x in the manifest list entries")
        #expect(error?.hint == "it is there for linux/arm64/v8, linux/amd64")
    }

    /// How a registry may lie, and what is said then.
    enum Lie: CaseIterable, Sendable {
        case diffID, layerCount, layerDigest, layerSize, notATar, schema1, notAnImage, foreignSystem
    }

    @Test(arguments: Lie.allCases) func aLieIsNamedAndNothingIsLeft(_ lie: Lie) throws {
        let registry = try StaticRegistry()
        var words = ""
        switch lie {
        case .diffID:
            words = "layers from manifest don't match image configuration"
            try registry.image([Self.low, Self.high], tag: "1", diffIDs: [Digest.of(Self.high), Digest.of(Self.low)])
        case .layerCount:
            words = "layers from manifest don't match image configuration"
            try registry.image([Self.low, Self.high], tag: "1", diffIDs: [Digest.of(Self.low)])
        case .layerDigest:
            words = "filesystem layer verification failed for digest"
            try registry.image([Self.low], tag: "1") { manifest, _ in
                var changed = Self.low
                changed[600] ^= 1
                registry.blob(changed, type: MediaType.ociLayer, as: manifest.layers[0].digest)
            }
        case .layerSize:
            words = "blob "
            try registry.image([Self.low], tag: "1") { manifest, _ in manifest.layers[0].size += 1 }
        case .notATar:
            words = "layer "
            try registry.image(
                [Array("no tar at all, but long enough to be looked at".utf8) + [UInt8](repeating: 7, count: 2048)],
                tag: "1")
        case .schema1:
            words = "manifest for"
            registry.manifest(
                Array(#"{"schemaVersion":1,"name":"app","tag":"1","fsLayers":[],"history":[]}"#.utf8),
                type: "application/vnd.docker.distribution.manifest.v1+prettyjws", tag: "1")
        case .notAnImage:
            words = "encountered remote \"application/vnd.cncf.helm.config.v1+json\" when fetching"
            try registry.image([Self.low], tag: "1") { manifest, _ in
                manifest.config.mediaType = "application/vnd.cncf.helm.config.v1+json"
            }
        case .foreignSystem:
            words = "image operating system \"windows\" cannot be used on this platform"
            try registry.image([Self.low], tag: "1") { _, config in config.os = "windows" }
        }
        let fixture = try ImageFixture()
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.pull(registry.reference("app:1"), platform: nil, RecordedOperation().context)
        }
        #expect(error?.message.contains(words) ?? false, "\(lie): \(error?.description ?? "")")
        #expect(try fixture.store.images.all().isEmpty)
        // What is true may stay for the next pull: a whole first layer, and the beginning of either of two that were
        // under way at once when the lie about one came out.
        let beginnings = lie == .diffID ? [Self.low, Self.high].map { "\(Digest.of($0).hex).partial" } : []
        #expect(Set(fixture.partials).isSubset(of: beginnings))
        #expect(try fixture.blobs.allSatisfy { $0 == Digest.of(Self.low).hex })
    }

    @Test func aBrokenTransferGoesOn() throws {
        let registry = try StaticRegistry()
        let big = SmallImage.tar([.init("data", (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })])
        try registry.image([big], tag: "1")
        registry.deliver { request in
            request.headers["range"] == nil && request.path.hasSuffix(Digest.of(big).hex) ? .cutAfter(100_000) : .whole
        }
        let fixture = try ImageFixture()
        let talk = RecordedOperation()
        let result = try fixture.images.pull(registry.reference("app:1"), platform: nil, talk.context)
        #expect(result.image.manifest.layers.count == 1)
        #expect(talk.states().contains { $0.hasPrefix("Retrying in 1 second") })
        #expect(registry.server.requests.contains { $0.headers["range"]?.hasPrefix("bytes=") ?? false })
    }

    @Test func aCancelledPullKeepsWhatItHasAndGoesOnFromThere() throws {
        let registry = try StaticRegistry()
        let big = SmallImage.tar([.init("data", (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })])
        try registry.image([Self.low, big], tag: "1")
        let bigPath = "/v2/app/blobs/\(Digest.of(big))"
        registry.deliver { request in
            request.path == bigPath && request.headers["range"] == nil ? .drip(bytes: 50_000, milliseconds: 20) : .whole
        }
        let fixture = try ImageFixture()
        let lowID = Digest.of(Self.low).short
        let bigID = Digest.of(big).short
        let seen = Condition<(low: Bool, big: Bool)>((false, false))
        let cancellation = Cancellation()
        let context = OperationContext(cancellation: cancellation) { event in
            let isDue = seen.update { seen in
                if event == .item(id: lowID, state: "Pull complete") { seen.low = true }
                if case .bytes(bigID, "Downloading", let current, _) = event, current > 0 { seen.big = true }
                return seen.low && seen.big
            }
            if isDue { cancellation.cancel() }
        }
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.pull(registry.reference("app:1"), platform: nil, context)
        }
        #expect(error?.code == .cancelled)
        #expect(fixture.partials == ["\(Digest.of(big).hex).partial"])
        #expect(try fixture.blobs.contains(Digest.of(Self.low).hex))
        #expect(try fixture.store.images.all().isEmpty)
        let talk = RecordedOperation()
        let result = try fixture.images.pull(registry.reference("app:1"), platform: nil, talk.context)
        #expect(talk.states(of: lowID) == ["Already exists"])
        let ranged = registry.server.requests.filter { $0.path == bigPath && $0.headers["range"] != nil }
        #expect(!ranged.isEmpty)
        #expect(try fixture.text("/etc/low", in: result.image) == "low\n")
    }

    @Test func aDamagedPartialDownloadIsFetchedAnew() throws {
        let registry = try StaticRegistry()
        try registry.image([Self.low], tag: "1")
        let fixture = try ImageFixture()
        let partial = fixture.home + "/ingest/\(Digest.of(Self.low).hex).partial"
        try Data(repeating: 9, count: 700).write(to: URL(filePath: partial))
        let result = try fixture.images.pull(registry.reference("app:1"), platform: nil, RecordedOperation().context)
        #expect(try fixture.text("/etc/low", in: result.image) == "low\n")
    }

    @Test func aLinkToALowerLayersFileWaitsForThatLayer() throws {
        let registry = try StaticRegistry()
        var link = TarBytes()
        link.hardLink("etc/again", to: "etc/low")
        try registry.image([Self.low, link.finished], tag: "1")
        registry.deliver { request in
            request.path.hasSuffix(Digest.of(Self.low).hex) ? .drip(bytes: 512, milliseconds: 30) : .whole
        }
        let fixture = try ImageFixture()
        let result = try fixture.images.pull(registry.reference("app:1"), platform: nil, RecordedOperation().context)
        #expect(try fixture.text("/etc/again", in: result.image) == "low\n")
    }

    @Test func aPullByDigestHasNoTag() throws {
        let registry = try StaticRegistry()
        let descriptor = try registry.image([Self.low], tag: "1")
        let fixture = try ImageFixture()
        let reference = try registry.reference("app").with(digest: descriptor.digest)
        let talk = RecordedOperation()
        let result = try fixture.images.pull(reference, platform: nil, talk.context)
        #expect(result.image.references.isEmpty)
        #expect(result.image.repoDigests == [reference])
        #expect(try fixture.images.image(named: reference.description).id == result.image.id)
        #expect(talk.lines.first == "\(reference.familiar): Pulling from app")
    }

    @Test func ensureImageSaysWhatItMisses() throws {
        let registry = try StaticRegistry()
        try registry.image([Self.low], tag: "1")
        let fixture = try ImageFixture()
        let name = "\(registry.host)/app:1"
        let talk = RecordedOperation()
        let image = try fixture.images.ensureImage(name, talk.context)
        #expect(talk.notes == ["Unable to find image '\(name)' locally"])
        let asked = registry.server.requests.count
        #expect(try fixture.images.ensureImage(name, RecordedOperation().context).id == image.id)
        #expect(registry.server.requests.count == asked)
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.ensureImage("nothing", policy: .never, RecordedOperation().context)
        }
        #expect(error?.message == "No such image: nothing:latest")
    }
}
