import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

/// Sessions that travel by way of a registry.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SessionArtifactTests {
    private static let lines = """
        FROM busybox
        RUN echo one > /one
        tag @ app
        RUN echo two > /two
        ENV A=b
        undo
        x = inspect -f '{{.Id}}' @
        """

    /// A home with a session that has a little of everything.
    private static func home(_ lines: String = lines) throws -> ShaleHome {
        let shale = ShaleHome()
        try shale.run(["-c", lines])
        return shale
    }

    private static func isWhole(_ shale: ShaleHome) throws -> Bool {
        try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n")
    }

    @Test(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
    func aSessionGoesByWayOfDebiansRegistry() throws {
        let server = try RegistryServer()
        let name = "\(server.host)/class/lesson:2"
        let teacher = try Self.home()
        let id = try teacher.run(["inspect", "-f", "{{.Id}}", "@"]).text
        let told = try teacher.run(["session", "push", name]).text
        #expect(told.contains("pushed session default to \(name): 5 states, "), "\(told)")
        let again = try teacher.run(["session", "push", name]).text
        #expect(again.contains(", 0B sent\n"), "\(again)")
        #expect(again.contains(try #require(told.split(separator: "\n").last { $0.contains("digest: ") })))

        let raw = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)"]).output
        let manifest = try OCIDocument.read(Manifest.self, from: raw, naming: "manifest")
        #expect(manifest.artifactType == ArtifactType.session && manifest.config == Artifact.emptyConfig)
        #expect(manifest.annotations?["org.opencontainers.image.title"] == "default")
        // Its images can be pulled by themselves, and it can be copied by who knows nothing of it.
        let image = try teacher.run(["inspect", "-f", "{{.Id}}", "app"]).text
        try Peers.skopeo.run(
            [
                "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://\(name)",
                "docker://\(server.host)/copied/lesson:2",
            ])

        let student = ShaleHome()
        let pulled = try student.run(["session", "pull", "\(server.host)/copied/lesson:2", "mine"]).text
        #expect(pulled.contains("\npulled session mine: 5 states, "), "\(pulled)")
        #expect(pulled.hasSuffix("; session switch mine enters it\n"))
        let looked = try student.run([
            "-S", "mine", "-c",
            "inspect -f '{{.Id}}' @\nrun --rm @ cat /two\nredo\nrun --rm app cat /one\nrecipe verify",
        ])
        #expect(looked.text.hasPrefix(id + "two\nmade again: ENV A=b"), "\(looked.text)\(looked.errors)")
        #expect(try student.run(["inspect", "-f", "{{.Id}}", "app"]).text == image)
        let taken = try student.run(["session", "pull", name, "mine"], expecting: 1)
        #expect(
            taken.errors.hasSuffix(
                "session mine exists already\nhint: session pull \(name) NAME   (under another name)\n"))
        let other = try student.run(["session", "pull", name, "other"]).text
        #expect(other.contains(", 0B fetched; "), "\(other)")
        #expect(try Self.isWhole(student) && Self.isWhole(teacher))
    }

    @Test func anotherKindIsCalledByItsName() throws {
        let registry = try ReferrersRegistry()
        let shale = try Self.home()
        let name = "\(registry.host)/a/session:1"
        try shale.run(["session", "push", name])
        let pulled = try shale.run(["pull", name], expecting: 1).errors
        #expect(
            pulled.hasSuffix(
                "when fetching: this is a session of shale's, and no image\nhint: session pull \(name)\n"), "\(pulled)")
        let chart =
            #"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","#
            + #""digest":"sha256:\#(String(repeating: "a", count: 64))","size":3},"layers":[]}"#
        registry.put(Array(chart.utf8), type: MediaType.ociManifest, in: "a/chart", as: ["1"])
        let refused = try shale.run(["session", "pull", "\(registry.host)/a/chart:1"], expecting: 1).errors
        #expect(
            refused == "shale: \(registry.host)/a/chart:1 is a Helm chart, and not a session of shale's\n"
                + "hint: !helm pull oci://\(registry.host)/a/chart:1\n")
        let image =
            #"{"schemaVersion":2,"config":{"mediaType":"\#(MediaType.ociConfig)","#
            + #""digest":"sha256:\#(String(repeating: "a", count: 64))","size":3},"layers":[]}"#
        registry.put(Array(image.utf8), type: MediaType.ociManifest, in: "a/image", as: ["1"])
        let told = try shale.run(["session", "pull", "\(registry.host)/a/image:1"], expecting: 1).errors
        #expect(told.hasSuffix("is an image, and not a session of shale's\nhint: pull \(registry.host)/a/image:1\n"))
    }

    @Test func whatReachesOutIsShownAndNotDone() throws {
        let registry = try ReferrersRegistry()
        let teacher = try Self.home(
            """
            FROM busybox
            run --rm -v /:/host busybox true
            run --rm --privileged busybox true
            !touch touched-by-hand
            images | cat
            HOME = /nowhere
            """)
        let name = "\(registry.host)/a/b:1"
        try teacher.run(["session", "push", name])
        let student = ShaleHome()
        let told = try student.run(["session", "pull", name, "theirs"]).text
        #expect(told.hasPrefix("it was not made here; of this nothing is done unless you type it again:\n"), "\(told)")
        for line in [
            "  host commands: ", "    !touch ", "  mounts: 1\n    run --rm -v /:/host busybox true\n",
            "  privileges: 1\n    run --rm --privileged busybox true\n",
            "  variables that stand before the host's own: HOME\n",
        ] { #expect(told.contains(line), "\(line): \(told)") }
    }

    /// What a hostile registry may say instead; each is one line, and the home stays as it was.
    @Test func whatIsNoWholeSessionIsRefused() throws {
        let registry = try ReferrersRegistry()
        let teacher = try Self.home()
        try teacher.run(["session", "push", "\(registry.host)/a/b:1"])
        let text = String(decoding: try #require(registry.manifest("a/b", "1")), as: UTF8.self)
        let manifest = try OCIDocument.read(Manifest.self, from: Array(text.utf8), naming: "manifest")
        let student = ShaleHome()
        try student.run(["images"])
        let files = { try Peer("find").run([student.home, "-type", "f", "-path", "*/blobs/*"]).text }
        let before = try files()
        func tar(_ members: [SmallImage.File]) throws -> Descriptor {
            let bytes = SmallImage.tar(members)
            _ = try registry.put(blob: bytes)
            return Descriptor(
                mediaType: manifest.layers[0].mediaType, digest: Digest.of(bytes), size: Int64(bytes.count))
        }
        let header = SmallImage.File("session.json", #"{"format":"shale-session","name":"x","version":1}"#)
        let end = SmallImage.File("end", "")
        var spoiled: [(String, Manifest)] = []
        func spoil(_ what: String, _ change: (inout Manifest) throws -> Void) rethrows {
            var copy = manifest
            try change(&copy)
            spoiled.append((what, copy))
        }
        spoil("no archive") { $0.layers.removeFirst() }
        spoil("two archives") { $0.layers.insert($0.layers[0], at: 0) }
        spoil("an archive of another size") { $0.layers[0].size += 1 }
        spoil("a huge archive") { $0.layers[0].size = .max }
        spoil("an archive that is not there") { $0.layers[0].digest = Digest.of("x".utf8) }
        spoil("a blob too few") { $0.layers.removeLast() }
        spoil("a blob of another size") { $0.layers[$0.layers.count - 1].size += 1 }
        spoil("a huge blob") { $0.layers[$0.layers.count - 1].size = .max }
        spoil("another version") { $0.artifactType = "application/vnd.shale.session.v2" }
        try spoil("a path that escapes") { $0.layers[0] = try tar([header, .init("../../evil", "x"), end]) }
        try spoil("start-up lines") { $0.layers[0] = try tar([header, .init("rc.shale", "!touch /x"), end]) }
        try spoil("a link") { $0.layers[0] = try tar([header, .link("journal", to: "/etc/passwd"), end]) }
        try spoil("a name that escapes") {
            $0.layers[0] = try tar([
                .init("session.json", #"{"format":"shale-session","name":"../x","version":1}"#), .init("journal", ""),
                end,
            ])
        }
        try spoil("no end") { $0.layers[0] = try tar([header, .init("journal", "")]) }
        try spoil("bytes that are none") { $0.layers[0] = try tar([]) }
        for (number, (what, manifest)) in spoiled.enumerated() {
            registry.put(
                Array(manifest.document.text().utf8), type: MediaType.ociManifest, in: "a/b", as: ["bad\(number)"])
            let outcome = try student.run(["session", "pull", "\(registry.host)/a/b:bad\(number)"], expecting: nil)
            #expect(outcome.status == 1, "\(what): \(outcome.text)\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count <= 2, "\(what): \(outcome.errors)")
            #expect(outcome.errors.hasPrefix("shale: "), "\(what): \(outcome.errors)")
            #expect(try files() == before, "\(what)")
        }
        #expect(try student.run(["session", "-q"]).text == "default\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(student.home)/ingest").isEmpty)
        #expect(try Self.isWhole(student))
    }

    @Test func bytesThatAreOthersAreRefusedAndComeAgain() throws {
        let isLying = Flag()
        let registry = try ReferrersRegistry(change: { request, answer in
            guard isLying.isSet, request.method == "GET", request.path.contains("/blobs/"), answer.body.count > 4096
            else { return answer }
            var other = answer
            other.body[other.body.count / 2] ^= 1
            return other
        })
        let teacher = try Self.home()
        try teacher.run(["session", "push", "\(registry.host)/a/b:1"])
        let student = ShaleHome()
        isLying.set(true)
        let refused = try student.run(["session", "pull", "\(registry.host)/a/b:1"], expecting: 1).errors
        #expect(refused.contains("digest") && refused.split(separator: "\n").count <= 2, "\(refused)")
        #expect(try Self.isWhole(student))
        isLying.set(false)
        try student.run(["session", "pull", "\(registry.host)/a/b:1", "mine"])
        #expect(try Self.isWhole(student))
    }

    @Test func copiesAreNotReadFromFoldersThatOthersName() throws {
        let registry = try ReferrersRegistry()
        let teacher = ShaleHome()
        try Data("theirs".utf8).write(to: URL(filePath: teacher.work + "/file"))
        try teacher.run(["-c", "FROM busybox\nCOPY file /file\nRUN echo x"])
        try teacher.run(["session", "push", "\(registry.host)/a/b:1"])
        let student = ShaleHome()
        try student.run(["session", "pull", "\(registry.host)/a/b:1", "mine"])
        try Data("mine".utf8).write(to: URL(filePath: student.work + "/file"))
        let told = try student.run(["-S", "mine", "-c", "edit 1 COPY file /other\nrun --rm @ cat /other"])
        #expect(told.text.hasSuffix("mine"), "\(told.text)\(told.errors)")
    }

    private final class Flag: @unchecked Sendable {
        // Set between the runs of a program, and read by the server's threads.
        private(set) var isSet = false
        func set(_ value: Bool) { isSet = value }
    }
}
