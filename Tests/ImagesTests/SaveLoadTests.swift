import Basics
import FoundationEssentials
import Glibc
import Layers
import Linux
import OCI
import Stores
import TestSupport
import Testing

@testable import Images

/// Bytes that come from a sink.
private final class Gathered {
    var bytes: [UInt8] = []
}

extension ImageFixture {
    func saved(_ names: [String], format: ArchiveFormat = .both) throws -> [UInt8] {
        let gathered = Gathered()
        try images.save(
            names, format: format, to: { gathered.bytes.append(contentsOf: $0) }, RecordedOperation().context)
        return gathered.bytes
    }

    func load(_ bytes: [UInt8], platform: Platform? = nil) throws -> [LoadedImage] {
        try images.load(BytesSource(bytes), named: "archive.tar", platform: platform, RecordedOperation().context)
    }
}

@Suite struct SaveLoadTests {
    static let layers: [[SmallImage.File]] = [
        [.init("etc/", ""), .init("etc/hello", "hello\n")], [.init("etc/more", "more\n")],
    ]

    /// A home with the small image, as a docker archive brought it.
    static func filled(tag: String = "small:1") throws -> ImageFixture {
        let fixture = try ImageFixture()
        let path = fixture.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(path, layers: layers, tag: tag)
        _ = try fixture.load(Array(try Data(contentsOf: URL(filePath: path))))
        return fixture
    }

    @Test func anOldDockerArchiveComesIn() throws {
        let fixture = try Self.filled()
        let image = try fixture.images.image(named: "small:1")
        #expect(try fixture.text("/etc/hello", in: image) == "hello\n")
        #expect(try fixture.text("/etc/more", in: image) == "more\n")
        #expect(image.size == 11)
        #expect(image.containerConfig.cmd == ["sh"])
        let output = try Peers.sha256(try fixture.store.blobs.bytes(image.id))
        #expect(output == image.id.hex)
    }

    @Test(arguments: ArchiveFormat.allCases) func whatIsSavedIsLoadedAsItWas(_ format: ArchiveFormat) throws {
        let first = try Self.filled()
        _ = try first.images.tag("small:1", as: Reference(parsing: "other:2"))
        let image = try first.images.image(named: "small:1")
        let archive = try first.saved(["small:1", "other"], format: format)
        let second = try ImageFixture()
        let loaded = try second.load(archive)
        #expect(loaded.flatMap(\.lines) == ["Loaded image: small:1", "Loaded image: other:2"])
        let copy = try second.images.image(named: "other:2")
        #expect(copy.id == image.id)
        if format != .docker { #expect(copy.manifestDescriptor == image.manifestDescriptor) }
        #expect(try second.text("/etc/more", in: copy) == "more\n")
        // The same images make the same archive.
        #expect(try first.saved(["small:1", "other"], format: format) == archive)
    }

    @Test func aLoadedNameIsTakenFromTheImageThatHadIt() throws {
        let fixture = try Self.filled()
        let old = try fixture.images.image(named: "small:1")
        let path = fixture.folder.path + "/other.tar"
        try SmallImage.writeDockerArchive(path, layers: [[.init("other", "other")]], tag: "small:1")
        let talk = RecordedOperation()
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        let loaded = try fixture.images.load(BytesSource(bytes), named: path, talk.context)
        #expect(
            talk.lines == [
                "The image small:1 already exists, renaming the old one with ID \(old.id) to empty string"
            ])
        #expect(try fixture.images.image(named: "small:1").id == loaded.first?.image.id)
        #expect(try fixture.images.image(named: old.id.hex).references.isEmpty)
    }

    @Test func aLayerThatIsGoneIsUnpackedAgain() throws {
        let fixture = try Self.filled()
        let image = try fixture.images.image(named: "small:1")
        for (name, _) in try fixture.store.layers.all() { try fixture.store.layers.remove(named: name) }
        let again = try fixture.images.ensureImage("small:1", RecordedOperation().context)
        #expect(again.id == image.id)
        #expect(try fixture.text("/etc/more", in: again) == "more\n")
    }

    @Test func anIdIsSavedWithoutAName() throws {
        let first = try Self.filled()
        let image = try first.images.image(named: "small:1")
        let second = try ImageFixture()
        let loaded = try second.load(try first.saved([image.id.short]))
        #expect(loaded.flatMap(\.lines) == ["Loaded image ID: \(image.id)"])
    }

    @Test(.enabled(if: Peers.skopeo.isPresent, "skopeo is not installed"), arguments: ArchiveFormat.allCases)
    func skopeoReadsWhatIsSaved(_ format: ArchiveFormat) throws {
        let fixture = try Self.filled()
        let path = fixture.folder.path + "/saved.tar"
        try Data(try fixture.saved(["small:1"], format: format)).write(to: URL(filePath: path))
        var sources: [String] = []
        if format != .docker { sources.append("oci-archive:\(path):1") }
        if format != .oci { sources.append("docker-archive:\(path):small:1") }
        let image = try fixture.images.image(named: "small:1")
        for source in sources {
            let config = try Peers.skopeo.run(["inspect", "--config", "--raw", source])
            #expect(Digest.of(config.output) == image.id)
        }
    }

    @Test(.enabled(if: Peers.umoci.isPresent, "umoci is not installed"))
    func umociUnpacksTheStore() throws {
        let fixture = try Self.filled()
        let bundle = fixture.folder.path + "/bundle"
        // umoci takes only tags for names: one without a slash is made for it.
        let target = fixture.folder.path + "/layout"
        try Peers.skopeo.run(["copy", "--quiet", "oci:\(fixture.home):docker.io/library/small:1", "oci:\(target):one"])
        try Peers.umoci.run(["unpack", "--rootless", "--image", "\(target):one", bundle])
        let text = try String(contentsOf: URL(filePath: bundle + "/rootfs/etc/hello"), encoding: .utf8)
        #expect(text == "hello\n")
    }

    @Test(.enabled(if: Peers.skopeo.isPresent, "skopeo is not installed"), arguments: ["gzip", "zstd"])
    func peersLayoutsAndArchivesComeIn(_ compression: String) throws {
        let scratch = TemporaryDirectory()
        let source = scratch.path + "/image.tar"
        try SmallImage.writeDockerArchive(source, layers: Self.layers)
        let copy = ["copy", "--quiet", "--dest-compress", "--dest-compress-format", compression]
        try Peers.skopeo.run(copy + ["docker-archive:\(source)", "oci:\(scratch.path)/layout:quay.io/a/small:1"])
        try Peers.skopeo.run(copy + ["docker-archive:\(source)", "oci-archive:\(scratch.path)/oci.tar:one"])
        let fixture = try ImageFixture()
        let fromFolder = try fixture.images.load(folder: scratch.path + "/layout", RecordedOperation().context)
        #expect(fromFolder.flatMap(\.lines) == ["Loaded image: quay.io/a/small:1"])
        #expect(try fromFolder.first.flatMap { try fixture.text("/etc/hello", in: $0.image) } == "hello\n")
        let archive = Array(try Data(contentsOf: URL(filePath: scratch.path + "/oci.tar")))
        #expect(try fixture.load(archive).first?.references.isEmpty ?? false)
        try Peer(compression).run(["-q", "-k", scratch.path + "/oci.tar"])
        let suffix = compression == "gzip" ? "gz" : "zst"
        let packed = Array(try Data(contentsOf: URL(filePath: scratch.path + "/oci.tar.\(suffix)")))
        #expect(try fixture.load(packed).count == 1)
    }

    /// Archives that are none, and what is said of them.
    static let bad: [(name: String, bytes: [UInt8], words: String)] = [
        ("junk", Array("junk".utf8), "archive.tar: invalid tar archive"),
        ("empty tar", SmallImage.tar([]), "invalid archive: does not contain a manifest.json"),
        (
            "no config", SmallImage.tar([.init("manifest.json", #"[{"Config":"c.json","Layers":[]}]"#)]),
            "c.json: not in the archive"
        ),
        ("no JSON", SmallImage.tar([.init("manifest.json", "{")]), "manifest.json"),
        ("not a list", SmallImage.tar([.init("manifest.json", "{}")]), "manifest.json: not a list"),
        (
            "layers missing",
            SmallImage.tar([
                .init("manifest.json", #"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]"#),
                .init("c.json", #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#),
            ]), "invalid manifest, layers length mismatch: expected 1, got 0"
        ),
        (
            "a tag that is none",
            SmallImage.tar([
                .init("manifest.json", #"[{"Config":"c.json","RepoTags":["A b"],"Layers":[]}]"#),
                .init("c.json", #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#),
            ]), "invalid tag \"A b\""
        ),
        (
            "a loop of links",
            {
                var tar = TarBytes()
                tar.symlink("manifest.json", to: "other.json")
                tar.symlink("other.json", to: "manifest.json")
                return tar.finished
            }(), "invalid archive: does not contain a manifest.json"
        ),
    ]

    @Test(arguments: bad.map(\.name)) func whatIsNoArchiveIsRefused(_ name: String) throws {
        let row = try #require(Self.bad.first { $0.name == name })
        let fixture = try ImageFixture()
        let error = #expect(throws: ShaleError.self) { try fixture.load(row.bytes) }
        #expect(error?.description.contains(row.words) ?? false, "\(error?.description ?? "")")
        #expect(try fixture.blobs.isEmpty)
        #expect(try fixture.store.images.all().isEmpty)
    }

    @Test func aLayerThatIsNotTheConfigsLeavesNothing() throws {
        let config =
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(Digest.of([1]))"]}}"#
        let archive = SmallImage.tar([
            .init("manifest.json", #"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]"#),
            .init("c.json", config), .init("l.tar", SmallImage.tar([.init("x", "x")])),
        ])
        let fixture = try ImageFixture()
        let error = #expect(throws: ShaleError.self) { try fixture.load(archive) }
        #expect(error?.message == "layers from manifest don't match image configuration")
        #expect(try fixture.blobs.isEmpty)
    }
}

@Suite("hostile layers through load", .serialized) struct HostileLoadTests {
    private static let canary = "/tmp/shale-canary"

    @Test(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent))) func corpus() throws {
        // The corpus names the canary's path: two suites, of whatever user, must not use it at once.
        let lock = try OwnedFD.open((Corpus.root ?? "/") + "/MANIFEST.md", O_RDONLY)
        #expect(flock(lock.raw, LOCK_EX) == 0)
        defer { flock(lock.raw, LOCK_UN) }
        let rows = try Corpus.rows("layer-cases/tar-layers.json")
        var failures: [String] = []
        for row in rows {
            let problems = try check(row)
            if !problems.isEmpty { failures.append("\(row["id"]?.string ?? ""): \(problems.joined(separator: "; "))") }
        }
        for failure in failures { Issue.record("\(failure)") }
        Corpus.score("layer-cases/tar-layers through load", rows.count - failures.count, of: rows.count)
    }

    private func check(_ row: JSONValue) throws -> [String] {
        let expect = row["expect"] ?? .null
        setUp(expect["host_setup"]?.object ?? [:])
        defer { try? FileManager.default.removeItem(atPath: Self.canary) }
        let before = try listing(Self.canary)
        let fixture = try ImageFixture()
        var failure: ShaleError?
        var loaded: [LoadedImage] = []
        do {
            loaded = try fixture.load(archive(of: row["layers"]?.array ?? []))
        } catch let error as ShaleError {
            failure = error
        }
        var problems: [String] = []
        if try listing(Self.canary) != before { problems.append("outside changed") }
        let around = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
        if around != ["home"] { problems.append("beside the home: \(around)") }
        let outcome = expect["outcome"]?.string ?? ""
        if let failure {
            if outcome == "success" { problems.append("failed: \(failure)") }
            if try !fixture.store.images.all().isEmpty { problems.append("an image is there") }
            return problems
        }
        if outcome == "error" || outcome.hasPrefix("error (") { return problems + ["no error"] }
        if loaded.count != 1 { problems.append("\(loaded.count) images") }
        return problems
    }

    private func archive(of layers: [JSONValue]) throws -> [UInt8] {
        var files: [SmallImage.File] = []
        let tars = layers.map { TarBytes.layer($0.array ?? []) }
        let names = tars.indices.map { "\"\($0).tar\"" }.joined(separator: ",")
        let diffIDs = tars.map { "\"\(Digest.of($0))\"" }.joined(separator: ",")
        files.append(.init("manifest.json", #"[{"Config":"c.json","RepoTags":["hostile:1"],"Layers":[\#(names)]}]"#))
        files.append(
            .init(
                "c.json",
                #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[\#(diffIDs)]}}"#))
        for (number, tar) in tars.enumerated() { files.append(.init("\(number).tar", tar)) }
        return SmallImage.tar(files)
    }

    private func setUp(_ files: [String: JSONValue]) {
        mkdir(Self.canary, 0o755)
        for (path, mode) in files {
            let text = mode.string ?? "0644"
            let bits = UInt32(text.prefix { $0 != "/" }, radix: 8) ?? 0o644
            let isFolder = path.hasSuffix("/") || text.hasSuffix("/")
            let folder = path.split(separator: "/").dropLast(isFolder ? 0 : 1)
            for depth in folder.indices { mkdir("/" + folder[...depth].joined(separator: "/"), 0o755) }
            if !isFolder { _ = FileManager.default.createFile(atPath: path, contents: Data("host".utf8)) }
            chmod(path, bits)
        }
    }

    private func listing(_ path: String) throws -> [String] {
        try (FileManager.default.subpathsOfDirectory(atPath: path)).sorted().map { name in
            let status = try FileStatus.of(hostPath: "\(path)/\(name)")
            return "\(name) \(status.kind) \(status.permissions) \(status.size) \(status.links)"
        }
    }
}
