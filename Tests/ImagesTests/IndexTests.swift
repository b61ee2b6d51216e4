import Basics
import FoundationEssentials
import Layers
import OCI
import Registries
import Stores
import TestSupport
import Testing

@testable import Images

/// Names that stand for an index of several platforms.
@Suite struct IndexTests {
    /// An index of images, an attestation of the first of them, and an entry that is no image at all.
    private static func fill(
        _ registry: StaticRegistry, _ platforms: [String] = ["linux/arm64", "linux/amd64"], tag: String = "1",
        text: String = "", _ change: (inout Index) -> Void = { _ in }
    ) throws -> Descriptor {
        var index = Index()
        for platform in try platforms.map({ try Platform(parsing: $0) }) {
            let layer = SmallImage.tar([.init("arch", platform.description + text)])
            var entry = try registry.image([layer], tag: nil, platform: platform)
            entry.platform = platform
            index.manifests.append(entry)
        }
        index.manifests.append(try attestation(of: index.manifests[0], registry))
        change(&index)
        return registry.manifest(Array(try OCIDocument.encode(index)), type: MediaType.ociIndex, tag: tag)
    }

    private static func attestation(of image: Descriptor, _ registry: StaticRegistry) throws -> Descriptor {
        let config = registry.blob(Array(#"{"architecture":"unknown","os":"unknown"}"#.utf8), type: MediaType.ociConfig)
        let layer = registry.blob(Array("{}".utf8), type: "application/vnd.in-toto+json")
        let manifest = Manifest(config: config, layers: [layer])
        var entry = registry.manifest(Array(manifest.document.text().utf8), type: MediaType.ociManifest)
        entry.platform = Platform(os: "unknown", architecture: "unknown")
        entry.annotations = [
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image.digest.description,
        ]
        return entry
    }

    private static func pull(
        _ fixture: ImageFixture, _ name: Reference, _ platforms: PulledPlatforms
    ) throws -> PullResult {
        try fixture.images.pull(name, platforms, RecordedOperation().context)
    }

    private static let arm = Platform(os: "linux", architecture: "arm64")
    private static let amd = Platform(os: "linux", architecture: "amd64")

    @Test func allPlatformsOfAName() throws {
        let registry = try StaticRegistry()
        let digest = try Self.fill(registry).digest
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        let result = try Self.pull(fixture, name, .all)
        #expect(result.isNew && result.digest == digest)
        #expect(result.image.index?.digest == digest)
        #expect(result.image.config.architecture == Platform.host.architecture)
        let arm = try fixture.images.image(named: name.description, platform: Self.arm)
        #expect(try fixture.text("/arch", in: arm) == "linux/arm64")
        #expect(arm.index == nil && arm.references == [name])
        #expect(try fixture.images.all().map(\.references) == [[name]])
        let rows = try #require(try fixture.images.localPlatforms(named: name))
        #expect(rows.map(\.presence) == [.whole, .whole, .whole])
        #expect(rows.map(\.isChosen).count { $0 } == 1)
        #expect(rows[2].member.kind == .attestation(of: rows[0].member.descriptor.digest))
        #expect(try fixture.store.check().isEmpty)
        try fixture.prune()
        #expect(try fixture.store.check().isEmpty)
        // By the ids and digests of its members as well.
        for text in [arm.id.description, arm.manifestDescriptor.digest.hex, String(arm.id.hex.prefix(12))] {
            #expect(try fixture.images.image(named: text).id == arm.id)
        }
        #expect(try Self.pull(fixture, name, .all).isNew == false)
    }

    @Test func oneMorePlatformComesToTheOthers() throws {
        let registry = try StaticRegistry()
        let digest = try Self.fill(registry, ["linux/arm64", "linux/amd64", "linux/s390x"]).digest
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        let foreign = Platform(os: "linux", architecture: "s390x")
        _ = try Self.pull(fixture, name, .several([Self.arm, foreign]))
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.image(named: name.description, platform: Self.amd)
        }
        #expect(error?.message.contains("does not provide the specified platform (linux/amd64)") ?? false)
        #expect(error?.hint == "pull --platform linux/amd64 \(name.familiar)")
        // Nothing fits this machine: the first that is here.
        let plain = try fixture.images.image(named: name.description)
        #expect(plain.config.architecture == (Platform.host.architecture == "arm64" ? "arm64" : "arm64"))
        #expect(try fixture.store.check().isEmpty)
        let more = try Self.pull(fixture, name, .one(Self.amd))
        #expect(more.digest == digest && more.image.config.architecture == "amd64")
        let entry = try #require(try fixture.images.entry(named: name))
        #expect(entry.manifest.digest == digest)
        #expect(
            try fixture.images.image(named: name.description).config.architecture == Platform.host.architecture)
        for platform in [Self.arm, foreign, Self.amd] {
            #expect(try fixture.images.image(named: name.description, platform: platform).config.os == "linux")
        }
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func aNameThatTheRegistryMoved() throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry)
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        let second = try Self.fill(registry, text: " anew")
        let talk = RecordedOperation()
        let result = try fixture.images.pull(name, .one(Self.amd), talk.context)
        #expect(result.digest == second.digest && result.isNew)
        #expect(throws: ShaleError.self) {
            try fixture.images.image(named: name.description, platform: Self.arm)
        }
        #expect(try fixture.images.entry(named: name)?.manifest.digest == second.digest)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func aDamagedMemberIsFound() throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry)
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        let other = Platform.host.architecture == "arm64" ? Self.amd : Self.arm
        let layer = try fixture.images.image(named: name.description, platform: other).manifest.layers[0].digest
        let path = "\(fixture.home)/blobs/sha256/\(layer.hex)"
        try FileManager.default.removeItem(atPath: path)
        try Data("no tar".utf8).write(to: URL(filePath: path))
        let findings = try fixture.store.check()
        #expect(findings.contains { $0.what.contains("\(other): layer 1 (blob \(layer))") })
        #expect(findings.contains { $0.remedy == "pull --platform \(other) \(name.familiar)" })
        _ = try fixture.store.check(repair: true)
        #expect(try fixture.images.image(named: name.description).index != nil)
        _ = try Self.pull(fixture, name, .one(other))
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func namesLostAndFoundAgain() throws {
        let registry = try StaticRegistry()
        let digest = try Self.fill(registry).digest
        let fixture = try ImageFixture()
        _ = try Self.pull(fixture, try registry.reference("app:1"), .all)
        try Data("{".utf8).write(to: URL(filePath: "\(fixture.home)/index.json"))
        let again = try ImageFixture(home: fixture.home)
        _ = try again.store.check(repair: true)
        let all = try again.images.all()
        #expect(all.count == 1 && all[0].indexes.map(\.descriptor.digest) == [digest])
        #expect(try again.store.check().isEmpty)
    }

    @Test func removalTakesAllOfIt() throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry)
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        _ = try fixture.images.tag(name.description, as: Reference(parsing: "mine:1"))
        _ = try fixture.images.removeImage(name.description)
        #expect(try fixture.images.image(named: "mine:1", platform: Self.arm).config.architecture == "arm64")
        _ = try fixture.images.removeImage("mine:1")
        #expect(try fixture.blobs.isEmpty)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func aMemberGetsANameOfItsOwn() throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry)
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        let arm = try fixture.images.image(named: name.description, platform: Self.arm)
        _ = try fixture.images.tag(arm.id.description, as: Reference(parsing: "arm:1"))
        let named = try fixture.images.image(named: "arm:1")
        #expect(named.id == arm.id && named.index == nil)
        _ = try fixture.images.removeImage(name.description)
        #expect(try fixture.images.image(named: "arm:1").id == arm.id)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func theArchiveKeepsTheIndex() throws {
        let registry = try StaticRegistry()
        let digest = try Self.fill(registry).digest
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        for format in [ArchiveFormat.both, .oci] {
            let other = try ImageFixture()
            var bytes: [UInt8] = []
            try fixture.images.save(
                [name.description], format: format, to: { bytes += $0 }, RecordedOperation().context)
            let loaded = try other.images.load(
                BytesSource(bytes), named: "archive", RecordedOperation().context)
            #expect(loaded.map(\.references) == [[name]])
            #expect(try other.images.entry(named: name)?.manifest.digest == digest)
            #expect(try other.images.localPlatforms(named: name)?.map(\.presence) == [.whole, .whole, .whole])
            #expect(try other.store.check().isEmpty)
        }
        var one: [UInt8] = []
        try fixture.images.save(
            [name.description], platforms: [Self.arm], to: { one += $0 }, RecordedOperation().context)
        let third = try ImageFixture()
        let loaded = try third.images.load(
            BytesSource(one), named: "archive", platform: Self.arm, RecordedOperation().context)
        #expect(loaded.map(\.image.config.architecture) == ["arm64"])
    }

    /// How an index may lie, and what is said then.
    enum Lie: CaseIterable, Sendable {
        case size, type, onlyAttestations, noPlatformHere, cycleOfNames, tooMany

        func tell(_ index: inout Index, _ registry: StaticRegistry) {
            switch self {
            case .size: index.manifests[1].size += 1
            case .type: index.manifests[1].mediaType = MediaType.ociIndex
            case .onlyAttestations: index.manifests.removeFirst(2)
            case .noPlatformHere:
                index.manifests = [Descriptor(mediaType: MediaType.ociManifest, digest: .of("x".utf8), size: 1)]
            case .cycleOfNames:
                var inner = Index(manifests: index.manifests)
                for _ in 0..<6 {
                    let entry = registry.manifest(
                        Array(inner.document.text().utf8), type: MediaType.ociIndex)
                    inner = Index(manifests: [entry])
                }
                index = inner
            case .tooMany:
                index.manifests = (0..<10_000).map { number in
                    Descriptor(
                        mediaType: MediaType.ociManifest, digest: .of("\(number)".utf8), size: 1,
                        platform: Platform(os: "linux", architecture: "amd64"))
                }
            }
        }
    }

    @Test(arguments: Lie.allCases) func anIndexThatLies(_ lie: Lie) throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry) { lie.tell(&$0, registry) }
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        let error = #expect(throws: ShaleError.self, "\(lie)") { try Self.pull(fixture, name, .all) }
        let codes: [Lie: [ShaleError.Code]] = [
            .size: [.corrupt], .type: [.corrupt], .onlyAttestations: [.unsupported], .noPlatformHere: [.notFound],
            .cycleOfNames: [.invalid], .tooMany: [.invalid],
        ]
        #expect(error.map { codes[lie, default: []].contains($0.code) } ?? false, "\(lie): \(error as Any)")
        #expect(try fixture.images.all().isEmpty)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func indexesWithinIndexes() throws {
        let registry = try StaticRegistry()
        let inner = try Self.fill(registry, tag: "inner")
        let outer = registry.manifest(
            Array(Index(manifests: [inner, inner]).document.text().utf8), type: MediaType.ociIndex, tag: "1")
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        #expect(try Self.pull(fixture, name, .all).digest == outer.digest)
        #expect(try fixture.images.image(named: name.description, platform: Self.arm).config.architecture == "arm64")
        try fixture.prune()
        #expect(try fixture.store.check().isEmpty)
        #expect(try fixture.images.localPlatforms(named: name)?.count == 3)
    }

    @Test func duplicatePlatformsTakeTheFirst() throws {
        let registry = try StaticRegistry()
        _ = try Self.fill(registry) { index in index.manifests += index.manifests.reversed() }
        let fixture = try ImageFixture()
        let name = try registry.reference("app:1")
        _ = try Self.pull(fixture, name, .all)
        let rows = try #require(try fixture.images.localPlatforms(named: name))
        #expect(rows.count == 6 && rows.count { $0.isChosen } == 1)
        #expect(try fixture.store.check().isEmpty)
    }
}

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct IndexPeerTests {
    @Test func goesInAndOutByteByByte() throws {
        let (first, second) = (try RegistryServer(), try RegistryServer())
        let digest = try CopyTests.fill(first)
        let fixture = try ImageFixture()
        let name = try Reference(parsing: "\(first.host)/team/app:1")
        _ = try fixture.images.pull(name, .all, RecordedOperation().context)
        // The home as it lies.
        let raw = try Peers.skopeo.run(["inspect", "--raw", "oci:\(fixture.home):\(name)"])
        #expect(Digest.of(raw.output) == digest)
        let one = try Peers.skopeo.run([
            "copy", "--quiet", "oci:\(fixture.home):\(name)", "oci:\(fixture.folder.path)/one:x",
        ])
        #expect(one.status == 0, "\(one.text)")
        let whole = try Peers.skopeo.run([
            "copy", "--all", "--quiet", "--preserve-digests", "oci:\(fixture.home):\(name)",
            "oci:\(fixture.folder.path)/whole:x",
        ])
        #expect(whole.status == 0, "\(whole.text)")
        // Pushed under another name, and copied.
        let target = try Reference(parsing: "\(second.host)/other:2")
        _ = try fixture.images.tag(name.description, as: target)
        let pushed = try fixture.images.push(target, RecordedOperation().context)
        #expect(pushed.manifest.digest == digest && pushed.isIndex)
        var copy = ImageCopy(
            from: .local(name.description), to: try ImagePlace(parsing: "docker://\(second.host)/third:3"))
        copy.hasAllPlatforms = true
        #expect(try fixture.images.copy(copy, RecordedOperation().context).digest == digest)
        for place in ["other:2", "third:3"] {
            let seen = try Peers.skopeo.run([
                "inspect", "--raw", "--tls-verify=false", "docker://\(second.host)/\(place)",
            ])
            #expect(Digest.of(seen.output) == digest)
        }
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func aPartialIndexIsNotPushedAsIfItWereWhole() throws {
        let server = try RegistryServer()
        _ = try CopyTests.fill(server)
        let fixture = try ImageFixture()
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        let arm = Platform(os: "linux", architecture: "arm64")
        _ = try fixture.images.pull(name, .several([arm]), RecordedOperation().context)
        let target = try Reference(parsing: "\(server.host)/part:1")
        _ = try fixture.images.tag(name.description, as: target)
        let error = #expect(throws: ShaleError.self) {
            try fixture.images.push(target, platforms: .all, RecordedOperation().context)
        }
        #expect(error?.message.hasSuffix("not all platforms of its index are here: linux/amd64") ?? false)
        #expect(try !fixture.images.push(target, RecordedOperation().context).isIndex)
    }
}
