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
struct CopyTests {
    /// A registry with an image of two platforms, the index under `team/app:1`.
    static func fill(_ server: RegistryServer) throws -> Digest {
        let archive = server.folder.path + "/image.tar"
        var index = Index()
        let client = RegistryClient(RegistryConfiguration(credentials: CredentialStore(only: [:])))
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        for (number, architecture) in ["amd64", "arm64"].enumerated() {
            let noise = (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 + number) &* 2_654_435_761 >> 9) }
            try SmallImage.writeDockerArchive(
                archive, layers: [[.init("etc/arch", architecture)], [.init("data", noise)]])
            try server.fill("docker-archive:\(archive)", as: "team/app:\(architecture)", options: ["--format", "oci"])
            var entry = try client.head(name.with(tag: architecture))
            entry.platform = Platform(os: "linux", architecture: architecture)
            index.manifests.append(entry)
        }
        return try client.putManifest(
            OCIDocument.encode(index), mediaType: MediaType.ociIndex, as: name)
    }

    @Test func allPlatformsGoRoundByteByByte() throws {
        let (first, second) = (try RegistryServer(), try RegistryServer())
        let digest = try Self.fill(first)
        let fixture = try ImageFixture()
        let folder = fixture.folder.path
        let places = [
            "docker://\(first.host)/team/app:1", "docker://\(second.host)/other/app:2", "oci:\(folder)/layout:one",
            "oci-archive:\(folder)/image.tar:two", "docker://\(second.host)/third/app:3",
        ]
        for (from, to) in zip(places, places.dropFirst()) {
            var copy = ImageCopy(from: try ImagePlace(parsing: from), to: try ImagePlace(parsing: to))
            copy.hasAllPlatforms = true
            #expect(try fixture.images.copy(copy, RecordedOperation().context).digest == digest, "\(to)")
            let again = RecordedOperation()
            #expect(try fixture.images.copy(copy, again.context).digest == digest)
            if !to.hasPrefix("oci-archive") {
                #expect(Set(again.states()) == ["Preparing", "Waiting", "Already exists"], "\(to)")
            }
        }
        for place in places {
            let seen = try Peers.skopeo.run(
                ["inspect", "--raw"] + (place.hasPrefix("docker") ? ["--tls-verify=false"] : []) + [place])
            #expect(Digest.of(seen.output) == digest, "\(place)")
        }
        let fetched = try Peers.skopeo.run(
            [
                "copy", "--all", "--quiet", "--preserve-digests", "--remove-signatures", "--src-tls-verify=false",
                places[4],
                "oci:\(folder)/peer:x",
            ])
        #expect(fetched.status == 0)
        #expect(fixture.partials.isEmpty)
    }

    @Test func onePlatformGoesIntoTheHomeAndIntoArchives() throws {
        let server = try RegistryServer()
        _ = try Self.fill(server)
        let fixture = try ImageFixture()
        let folder = fixture.folder.path
        var copy = ImageCopy(
            from: try ImagePlace(parsing: "docker://\(server.host)/team/app:1"), to: .local("mine:1"))
        copy.platform = try Platform(parsing: "linux/amd64")
        let digest = try fixture.images.copy(copy, RecordedOperation().context).digest
        let image = try fixture.images.image(named: "mine:1")
        #expect(image.manifestDescriptor.digest == digest)
        #expect(try fixture.text("/etc/arch", in: image) == "amd64")
        #expect(image.isAsPulled)
        let out = ImageCopy(
            from: .local("mine:1"), to: try ImagePlace(parsing: "docker-archive:\(folder)/d.tar:mine:2"))
        #expect(try fixture.images.copy(out, RecordedOperation().context).digest == digest)
        let back = ImageCopy(from: try ImagePlace(parsing: "docker-archive:\(folder)/d.tar"), to: .local("mine:3"))
        #expect(try fixture.images.copy(back, RecordedOperation().context).digest == digest)
        let seen = try Peers.skopeo.run([
            "inspect", "--format", "{{.Architecture}}", "docker-archive:\(folder)/d.tar:mine:2",
        ])
        #expect(seen.text.contains("amd64"))
        copy.hasAllPlatforms = true
        copy.platform = nil
        let whole = try fixture.images.copy(copy, RecordedOperation().context)
        #expect(MediaType.isIndex(whole.mediaType))
        #expect(try fixture.images.entry(named: Reference(parsing: "mine:1"))?.manifest.digest == whole.digest)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func anOldArchiveIsPackedForARegistry() throws {
        let server = try RegistryServer()
        let fixture = try ImageFixture()
        let archive = fixture.folder.path + "/old.tar"
        try SmallImage.writeDockerArchive(archive, layers: [[.init("etc/hello", "hello\n")]], tag: "old:1")
        let target = "docker://\(server.host)/old:1"
        let copy = ImageCopy(
            from: try ImagePlace(parsing: "docker-archive:\(archive):old:1"), to: try ImagePlace(parsing: target))
        let sent = try fixture.images.copy(copy, RecordedOperation().context)
        let seen = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", target])
        #expect(Digest.of(seen.output) == sent.digest)
        #expect(seen.text.contains("tar+gzip"))
        let other = try ImageFixture()
        let image = try other.images.pull(
            Reference(parsing: "\(server.host)/old:1"), platform: nil, RecordedOperation().context
        ).image
        #expect(try other.text("/etc/hello", in: image) == "hello\n")
    }

    @Test(arguments: [
        ("dir:/tmp/x", "images are not copied"), ("docker://UPPER/x y", "invalid reference format"),
        ("oci:", "names no file"),
        ("oci:/x:", "names no file"),
    ]) func placesThatAreNoneAreRefused(_ text: String, _ words: String) throws {
        let error = #expect(throws: ShaleError.self) { try ImagePlace(parsing: text) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func damagedSourcesMakeNothing() throws {
        let fixture = try ImageFixture()
        let folder = fixture.folder.path
        let server = try RegistryServer()
        _ = try Self.fill(server)
        var copy = ImageCopy(
            from: try ImagePlace(parsing: "docker://\(server.host)/team/app:amd64"),
            to: try ImagePlace(parsing: "oci:\(folder)/layout:a"))
        _ = try fixture.images.copy(copy, RecordedOperation().context)
        let blobs = folder + "/layout/blobs/sha256"
        let largest = try #require(
            FileManager.default.contentsOfDirectory(atPath: blobs).max {
                (try? FileStatus.of(hostPath: "\(blobs)/\($0)").size) ?? 0
                    < (try? FileStatus.of(hostPath: "\(blobs)/\($1)").size) ?? 0
            })
        var bytes = Array(try Data(contentsOf: URL(filePath: "\(blobs)/\(largest)")))
        bytes[100] ^= 1
        try Data(bytes).write(to: URL(filePath: "\(blobs)/\(largest)"))
        copy.source = copy.target
        for target in [
            "oci:\(folder)/copy:a", "oci-archive:\(folder)/copy.tar:a", "docker://\(server.host)/copy:a", "copy:a",
        ] {
            copy.target = try ImagePlace(parsing: target)
            let error = #expect(throws: ShaleError.self) { try fixture.images.copy(copy, RecordedOperation().context) }
            #expect(error?.description.contains("digest") == true, "\(target): \(String(describing: error))")
        }
        #expect(!FileManager.default.fileExists(atPath: folder + "/copy.tar"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/copy/index.json"))
        #expect(try fixture.store.images.all().isEmpty)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func artifactsGoUpByHand() throws {
        let server = try RegistryServer()
        let fixture = try ImageFixture()
        let repository = try Reference(parsing: "\(server.host)/things:1")
        let bytes = Array("a thing".utf8)
        let blob = Descriptor(
            mediaType: "text/plain", digest: try fixture.store.blobs.put(bytes), size: Int64(bytes.count))
        let operation = RecordedOperation().context
        #expect(try fixture.images.uploadIfMissing(blob, to: repository, operation))
        #expect(try !fixture.images.uploadIfMissing(blob, to: repository, operation))
        let manifest = Manifest(config: blob, layers: [blob])
        let document = TransferDocument(Array(manifest.document.text().utf8), mediaType: MediaType.ociManifest)
        try fixture.images.pushDocument(document, to: repository, operation)
        let removal = try fixture.images.remoteRemoval(of: repository, operation)
        #expect(removal.digest == document.descriptor.digest && removal.tags == ["1"])
        try fixture.images.removeRemote(removal, operation)
        let gone = #expect(throws: ShaleError.self) { try fixture.images.remoteRemoval(of: repository, operation) }
        #expect(gone?.code == .notFound)
    }
}
