import FoundationEssentials
import Glibc
import Synchronization
import TestSupport
import Testing

/// A registry that lies, hangs and cuts off, and a disk that is full: one clear line, and a store that is whole.
@Suite("bad registries and disks", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BadInputRegistryTests {
    typealias Answer = MisbehavingServer.Answer

    /// One image as a registry has it, and what can be wrong with it.
    struct Served: Sendable {
        var manifest: [UInt8]
        var digest: String
        var config: [UInt8]
        var configDigest: String
        var layer: [UInt8]
        var layerDigest: String

        /// `content` is the tar that the config promises, `layer` what the manifest names.
        init(content: [UInt8], layer: [UInt8]) throws {
            self.layer = layer
            layerDigest = "sha256:" + (try Peers.sha256(layer))
            let diffID = try Peers.sha256(content)
            config = Array(
                """
                {"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers",\
                "diff_ids":["sha256:\(diffID)"]},"history":[{"created_by":"COPY"}]}
                """.utf8)
            configDigest = "sha256:" + (try Peers.sha256(config))
            manifest = Array(
                """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":\
                "application/vnd.oci.image.config.v1+json","digest":"\(configDigest)","size":\(config.count)},\
                "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\(layerDigest)",\
                "size":\(layer.count)}]}
                """.utf8)
            digest = "sha256:" + (try Peers.sha256(manifest))
        }

        /// The answer of a registry that does as it should.
        func honest(_ request: MisbehavingServer.Request) -> Answer {
            if request.path == "/v2/" { return .json("{}") }
            if request.path.contains("/manifests/") { return answer(manifest: manifest) }
            if request.path.hasSuffix(configDigest) { return Answer(body: config) }
            if request.path.hasSuffix(layerDigest) { return .blob(layer, for: request) }
            return .error(404, "NOT_FOUND", "not here")
        }

        func answer(manifest bytes: [UInt8], delivery: MisbehavingServer.Delivery = .whole) -> Answer {
            Answer(
                headers: [("Content-Type", "application/vnd.oci.image.manifest.v1+json")], body: bytes,
                delivery: delivery)
        }
    }

    struct Case: Sendable {
        var name: String
        var says: String
        var reference = "image:1"
        var answer: @Sendable (MisbehavingServer.Request) -> Answer
    }

    /// Bytes that do not compress, the same each time.
    private static func noise(_ count: Int) -> [UInt8] {
        var random = CrashRandom(state: 7)
        return (0..<(count / 8)).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    }

    @Test("registries")
    func registries() throws {
        let content = SmallImage.tar([SmallImage.File("file", Self.noise(300_000))])
        let packed = try Peer("gzip").run(["-n"], input: content).output
        let good = try Served(content: content, layer: packed)
        let half = Array(packed.prefix(packed.count / 2))
        let cutOff = try Served(content: content, layer: half)
        var wrongBytes = packed
        wrongBytes[wrongBytes.count / 2] ^= 0x55
        let damaged = try Served(content: content, layer: wrongBytes)
        let other = try Served(content: content + [UInt8](repeating: 0, count: 512), layer: packed)
        let junk = try Served(content: content, layer: Array("not a tar, not gzip".utf8))
        let flipped = wrongBytes

        let cases: [Case] = [
            Case(name: "silence", says: "") { _ in .silence },
            Case(name: "closed", says: "") { _ in .closed },
            Case(name: "manifest hangs", says: "") {
                $0.path.contains("manifests")
                    ? good.answer(manifest: good.manifest, delivery: .hangAfter(50)) : good.honest($0)
            },
            Case(name: "layer hangs", says: "stop") { request in
                request.path.hasSuffix(good.layerDigest)
                    ? Answer(body: good.layer, delivery: .hangAfter(1000)) : good.honest(request)
            },
            Case(name: "layer cut off each time", says: "") { request in
                request.path.hasSuffix(good.layerDigest)
                    ? Answer(body: good.layer, delivery: .cutAfter(1000)) : good.honest(request)
            },
            Case(name: "layer of other bytes", says: good.layerDigest) { request in
                request.path.hasSuffix(good.layerDigest) ? Answer(body: flipped) : good.honest(request)
            },
            Case(name: "layer too short", says: "") { request in
                request.path.hasSuffix(good.layerDigest) ? Answer(body: half) : good.honest(request)
            },
            Case(name: "layer too long", says: "") { request in
                request.path.hasSuffix(good.layerDigest) ? Answer(body: packed + packed) : good.honest(request)
            },
            Case(name: "config of other bytes", says: good.configDigest) { request in
                request.path.hasSuffix(good.configDigest)
                    ? Answer(body: Array(good.config.reversed())) : good.honest(request)
            },
            Case(
                name: "manifest of another digest", says: "sha256:",
                reference: "image@sha256:" + String(repeating: "2", count: 64), answer: good.honest),
            Case(name: "manifest that is none", says: "") {
                $0.path.contains("manifests") ? good.answer(manifest: Array("<html>".utf8)) : good.honest($0)
            },
            Case(name: "no such tag", says: "manifest unknown") {
                $0.path.contains("manifests")
                    ? .error(404, "MANIFEST_UNKNOWN", "manifest unknown") : good.honest($0)
            },
            Case(name: "refused", says: "denied") {
                $0.path.contains("manifests") ? .error(403, "DENIED", "denied") : good.honest($0)
            },
            Case(name: "server error", says: "500") { _ in Answer(500) },
            Case(name: "truncated gzip, true digest", says: "", answer: cutOff.honest),
            Case(name: "damaged gzip, true digest", says: "", answer: damaged.honest),
            Case(name: "another content than the config's", says: "", answer: other.honest),
            Case(name: "no archive at all", says: "", answer: junk.honest),
        ]
        let bench = ShaleHome()
        try bench.run(["images"])
        let chosen = Mutex<(@Sendable (MisbehavingServer.Request) -> Answer)>(good.honest)
        for test in cases {
            chosen.withLock { $0 = test.answer }
            let server = try MisbehavingServer(test.answer)
            let name = "\(server.host)/\(test.reference)"
            let short = ["SHALE_STALL_TIMEOUT": "0.3"]
            for (script, status) in [("shale pull -q \(name)", Int32(1)), ("shale run --rm \(name) true", 125)] {
                let start = Waiting.now()
                let said = try bench.sh(script, environment: short)
                let faults = BadInputRow(script, status, test.says).faults(said)
                #expect(faults.isEmpty, "\(test.name): \(faults): \(said)")
                #expect(Waiting.now() - start < 20, "\(test.name)")
                // Only one of them where waiting is the matter.
                if test.name.contains("hangs") || test.name == "silence" { break }
            }
            #expect(try bench.sh("shale images -q | wc -l").lines == ["1"], "\(test.name)")
            let check = try bench.run(["system", "check"], expecting: nil)
            #expect(check.status == 0, "\(test.name): \(check)")
            server.stop()
        }
        try bench.expectWhole("after bad registries")
        // The same bytes, honestly told, are taken.
        let server = try MisbehavingServer(good.honest)
        try bench.run(["pull", "-q", "\(server.host)/image:1"])
        #expect(try bench.sh("shale ps -aq").lines.isEmpty)
    }

    @Test("a full disk", .enabled(if: ShaleHome.isRoot, "needs root"))
    func fullDisk() throws {
        let folder = TemporaryDirectory()
        let disk = folder.path + "/disk"
        mkdir(disk, 0o755)
        try Peer("mount").run(["-t", "tmpfs", "-o", "size=12m", "tmpfs", disk])
        defer { _ = try? Peer("umount").run(["-l", disk], expecting: nil) }
        let bench = try ShaleHome(as: .same, home: disk + "/home")
        let full = "no space left on device"
        try bench.run(["images"])
        try bench.run(["create", "--name", "box", "busybox"])
        let content = SmallImage.tar([SmallImage.File("file", Self.noise(14_000_000))])
        let served = try Served(content: content, layer: content)
        let server = try MisbehavingServer(served.honest)
        try SmallImage.writeDockerArchive(
            bench.work + "/large.tar", layers: [[SmallImage.File("file", content)]], tag: "large:1")
        try bench.write(content, to: "context/file")
        try bench.write("FROM busybox\nCOPY file /file\n", to: "context/Dockerfile")
        try bench.write("FROM busybox\nRUN dd if=/dev/zero of=/file bs=1M count=14 2>/dev/null\n", to: "run/Dockerfile")
        let rows = [
            BadInputRow("shale pull -q \(server.host)/image:1", 1, full),
            BadInputRow("shale load -q -i large.tar", 1, full),
            BadInputRow("shale import -q context/file large:2", 1, full),
            BadInputRow("shale build -q -t large:3 context", 1, full),
            BadInputRow("shale cp context/file box:/file", 1, full),
            BadInputRow("shale build -q -t large:4 run", 1, "returned a non-zero code: 1"),
        ]
        for row in rows.map({ BadInputRow($0.script.replacing("import -q", with: "import"), $0.status, $0.says) }) {
            let said = try bench.sh(row.script)
            let faults = row.faults(said)
            #expect(faults.isEmpty, "\(row.script): \(faults): \(said)")
            try bench.expectWhole(row.script)
            #expect(try bench.sh("shale images --format '{{.Repository}}' | grep large").lines.isEmpty, "\(row.script)")
            #expect(try bench.run(["diff", "box"]).text.isEmpty, "\(row.script): half a copy")
            _ = try bench.sh("shale rm $(shale ps -aq --no-trunc | grep -v $(shale inspect -f '{{.Id}}' box))")
        }
        // Not a byte left at all: what only reads still works, what writes says why it cannot.
        _ = try bench.sh("dd if=/dev/zero of=\(disk)/filler bs=4k")
        for row in [
            BadInputRow("shale create busybox", 125, full), BadInputRow("shale run --rm busybox true", 125, full),
            BadInputRow("shale rename box chest", 1, full), BadInputRow("shale tag busybox other:1", 1, full),
            BadInputRow("shale commit box made:1", 1, full),
        ] {
            let said = try bench.sh(row.script)
            let faults = row.faults(said)
            #expect(faults.isEmpty, "not a byte left: \(row.script): \(faults): \(said)")
            try bench.expectWhole(row.script)
        }
        try bench.run(["rm", "box"])
        unlink(disk + "/filler")
        try Peer("mount").run(["-o", "remount,size=200m", disk])
        try bench.run(["pull", "-q", "\(server.host)/image:1"])
        try bench.run(["load", "-q", "-i", "large.tar"])
        try bench.run(["build", "-q", "-t", "large:4", "run"])
        try bench.expectWhole("with room again")
    }

    @Test("a home that cannot be written", .enabled(if: ShaleHome.isRoot, "needs root"))
    func readOnly() throws {
        let folder = TemporaryDirectory()
        let disk = folder.path + "/disk"
        mkdir(disk, 0o755)
        try Peer("mount").run(["-t", "tmpfs", "-o", "size=20m", "tmpfs", disk])
        defer { _ = try? Peer("umount").run(["-l", disk], expecting: nil) }
        let readOnly = "ead-only file system"
        let bench = try ShaleHome(as: .same, home: disk + "/home")
        try bench.run(["create", "--name", "box", "busybox"])
        let reading = [
            "images -q", "ps -aq", "ls busybox:/", "cat box:/etc/passwd", "find box -name passwd", "layers --draw box",
            "history -q busybox", "inspect box", "diff box", "size box", "waste busybox", "packages box", "df",
            "system check", "session -q", "recipe box", "dockerfile box", "compare busybox box", "volume ls",
            "save busybox | tar t", "export box | tar t", "cp box:/etc/passwd - | tar t",
        ]
        let before = try reading.map { try bench.sh("shale \($0)").text }
        try Peer("mount").run(["-o", "remount,ro", disk])
        for (command, text) in zip(reading, before) {
            let said = try bench.sh("shale \(command)")
            #expect(said.status == 0 && said.text == text && said.errors.isEmpty, "\(command): \(said)")
        }
        // A script too: no line of it is missed in the journal.
        let script = try bench.sh("printf 'images -q\nls busybox:/etc\n' | shale")
        #expect(script.status == 0 && script.errors.isEmpty, "\(script)")
        // A step that no journal could keep is none.
        let step = try bench.sh("shale -c 'FROM busybox'")
        #expect(step.status == 1 && step.text.isEmpty && step.errors.contains(readOnly), "\(step)")
        for row in [
            BadInputRow("shale run --rm busybox true", 125, readOnly),
            BadInputRow("shale tag busybox other:1", 1, readOnly),
            BadInputRow("shale rm box", 1, readOnly),
            BadInputRow("shale start box", 1, readOnly),
            BadInputRow("shale commit box new:1", 1, readOnly),
            BadInputRow("printf 'FROM busybox\nRUN true\n' | shale build -", 1, readOnly),
            BadInputRow("shale import /etc/passwd", 1, readOnly),
            BadInputRow("shale volume create disk", 1, readOnly),
            BadInputRow("shale prune -f all", 1, readOnly),
            BadInputRow("shale --home '\(disk)/other' images", 1, readOnly),
            BadInputRow("shale --home /proc/nosuch images", 1, "/proc/nosuch"),
            BadInputRow("touch file; shale --home $PWD/file images", 1, "ot a directory"),
        ] {
            let said = try bench.sh(row.script)
            let faults = row.faults(said)
            #expect(faults.isEmpty, "\(row.script): \(faults): \(said)")
        }
        try Peer("mount").run(["-o", "remount,rw", disk])
        try bench.expectWhole("writable again")
        try bench.run(["rm", "box"])
    }
}
