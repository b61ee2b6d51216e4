import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

/// What an archive of a session says is not believed where it reaches beyond the session's own images.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)))
struct SessionTrustTests {
    private static let lines = "FROM busybox\nRUN echo one > /one\ntag @ app"

    /// An exported session with the text of some of its members changed.
    private static func forged(
        _ shale: ShaleHome, _ change: (_ member: String, _ text: String) -> String
    ) throws -> String {
        let file = shale.folder.path + "/lesson.tar"
        try shale.run(["session", "export", file])
        let parts = shale.folder.path + "/parts"
        try FileManager.default.createDirectory(atPath: parts, withIntermediateDirectories: true)
        let tar = Peer("tar")
        let members = try tar.run(["-tf", file]).text
        try tar.run(["-xf", file, "-C", parts])
        for member in members.split(separator: "\n").map(String.init) where !member.hasPrefix("blobs/") {
            let path = URL(filePath: "\(parts)/\(member)")
            let text = String(decoding: try Data(contentsOf: path), as: UTF8.self)
            try Data(change(member, text).utf8).write(to: path)
        }
        try Data(members.utf8).write(to: URL(filePath: shale.folder.path + "/members"))
        let other = shale.folder.path + "/forged.tar"
        try tar.run(["-cf", other, "-C", parts, "-T", shale.folder.path + "/members"])
        return other
    }

    /// The ways that an archive comes by.
    enum Way: String, CaseIterable {
        case file, registry
    }

    /// Brings an archive in under a name.
    private static func bring(
        _ archive: String, of teacher: ShaleHome, by way: Way, into student: ShaleHome, as name: String
    ) throws {
        guard way == .registry else {
            try student.run(["session", "import", archive, name])
            return
        }
        let registry = try ReferrersRegistry()
        let reference = "\(registry.host)/a/b"
        try teacher.run(["session", "push", "\(reference):1"])
        var manifest = try OCIDocument.read(
            Manifest.self, from: Array(try #require(registry.manifest("a/b", "1"))), naming: "manifest")
        let bytes = Array(try Data(contentsOf: URL(filePath: archive)))
        _ = try registry.put(blob: bytes)
        manifest.layers[0].digest = Digest.of(bytes)
        manifest.layers[0].size = Int64(bytes.count)
        registry.put(Array(manifest.document.text().utf8), type: MediaType.ociManifest, in: "a/b", as: ["2"])
        try student.run(["session", "pull", "\(reference):2", name])
    }

    @Test(.enabled(if: Peer("tar").isPresent, "needs tar"), arguments: Way.allCases)
    func aPinnedDigestIsNotOccupied(_ way: Way) throws {
        let teacher = ShaleHome()
        try teacher.run(["-c", Self.lines])
        let pinned = "localhost:1/alpine@sha256:\(String(repeating: "7", count: 64))"
        let archive = try Self.forged(teacher) { member, text in
            guard member == "index.json" else { return text }
            let note = "\"org.opencontainers.image.ref.name\""
            #expect(text.contains(note), "\(text)")
            return text.replacing(note, with: "\"dev.shale.repo-digests\":\"\(pinned)\",\(note)")
        }
        let student = ShaleHome()
        try Self.bring(archive, of: teacher, by: way, into: student, as: "theirs")
        #expect(try !student.run(["images", "--digests"]).text.contains("sha256:777"))
        #expect(try student.run(["run", "--pull", "never", pinned, "true"], expecting: nil).status == 125)
        #expect(try student.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }

    @Test(.enabled(if: Peer("tar").isPresent, "needs tar"), arguments: Way.allCases)
    func howAnImageWasMadeIsNotForged(_ way: Way) throws {
        let teacher = ShaleHome()
        try teacher.run(["-c", Self.lines])
        var changed = 0
        let archive = try Self.forged(teacher) { member, text in
            guard member.hasPrefix("provenance/"), text.contains("echo one") else { return text }
            changed += 1
            return text.replacing("echo one", with: "echo evil")
        }
        try #require(changed > 0)
        let student = ShaleHome()
        try student.run(["session", "import", teacher.folder.path + "/lesson.tar", "first"])
        let recipe = try student.run(["recipe", "app"]).text
        #expect(recipe.contains("RUN echo one > /one"), "\(recipe)")
        try Self.bring(archive, of: teacher, by: way, into: student, as: "second")
        #expect(try student.run(["recipe", "app"]).text == recipe)
    }

    @Test(.enabled(if: Peer("tar").isPresent, "needs tar")) func aSessionOfTheFirstNameIsCalledByItsPlace() throws {
        let registry = try ReferrersRegistry()
        let teacher = ShaleHome()
        try teacher.run(["-c", Self.lines])
        try teacher.run(["session", "push", "\(registry.host)/class/lesson:2"])
        try teacher.run(["session", "export", "homework.tar"])
        let student = ShaleHome()
        let pulled = try student.run(["session", "pull", "\(registry.host)/class/lesson:2"])
        #expect(pulled.text.contains("pulled session lesson: "), "\(pulled.text)")
        #expect(pulled.text.hasSuffix("; session switch lesson enters it\n"), "\(pulled.text)")
        #expect(pulled.errors.contains("its images are here as app:latest\n"), "\(pulled.errors)")
        let imported = try student.run(["session", "import", teacher.work + "/homework.tar"]).text
        #expect(imported.hasPrefix("imported session homework: "), "\(imported)")
        let other = ShaleHome()
        let own = try other.run(["session", "pull", "\(registry.host)/class/lesson:2", "default"]).text
        #expect(own.hasSuffix("; it is the session you are in\n"), "\(own)")
        let timeline = try other.run(["-c", "timeline"]).text
        #expect(timeline.contains("RUN echo one > /one"), "the session one is in is the one that came: \(timeline)")
    }

    /// Whoever sits at a terminal is asked before names appear that later lines build on.
    @Test func namesThatComeAreAskedAtATerminal() throws {
        let teacher = ShaleHome()
        try teacher.run(["-c", Self.lines])
        let file = teacher.folder.path + "/lesson.tar"
        try teacher.run(["session", "export", file])
        let student = ShaleHome()
        func answer(_ words: [String], _ key: String?) throws -> String {
            let terminal = try student.terminal(["session", "import", file] + words)
            var text = ""
            if let key {
                text = try terminal.expect("Give them this name? [y/N] ")
                try terminal.send("\(key)\r")
            }
            return text + (try terminal.expect(" enters it"))
        }
        #expect(try answer(["no"], "").contains("images of the session would be here as app:latest"))
        #expect(try student.run(["images", "-q", "app"]).text.isEmpty)
        #expect(try student.run(["-S", "no", "-c", "run --rm @ cat /one"]).text == "one\n")
        let told = try answer(["yes"], "y")
        #expect(told.contains("its images are here as app:latest"), "\(told)")
        #expect(try !student.run(["images", "-q", "app"]).text.isEmpty)
        try student.run(["untag", "app"])
        _ = try answer(["-f", "forced"], nil)
        #expect(try !student.run(["images", "-q", "app"]).text.isEmpty)
    }
}
