import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `--remote`: what is fetched, by the registry's own account.
@Suite(
    "looking into a registry", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct RemoteLookingTests {
    private struct Scene {
        let registry: RegistryServer
        let shale = ShaleHome()

        init() throws { registry = try RegistryServer() }

        /// Runs a command; answers what it prints, and which parts of blobs were fetched: `LAYER STATUS BYTES`.
        func ask(_ words: String..., expecting status: Int32? = 0) throws -> (output: Peer.Outcome, fetched: [String]) {
            let before = try fetches().count
            let output = try shale.run(words, expecting: status)
            return (output, Array(try fetches().dropFirst(before)))
        }

        /// The registry's access log, in the order of its lines.
        private func fetches() throws -> [String] {
            let log = try Data(contentsOf: URL(filePath: registry.folder.path + "/out"))
            return String(decoding: log, as: UTF8.self).split(separator: "\n").compactMap { line in
                guard let request = line.firstRange(of: "\"GET /v2/"), line.contains("/blobs/") else { return nil }
                let parts = line[request.upperBound...].split(separator: "\"").prefix(2)
                let digest = parts[parts.startIndex].split(separator: " ")[0].split(separator: "/").last ?? ""
                let numbers = parts[parts.startIndex + 1].split(separator: " ").prefix(2).joined(separator: " ")
                return "\(digest.prefix(15)) \(numbers)"
            }
        }

        /// The first digits of an image's blobs: the config, then its layers.
        func blobs(_ name: String) throws -> [String] {
            let text = try Peers.skopeo.run(
                ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.host)/\(name)"]
            ).text
            let key = "\"digest\":\""
            return text.ranges(of: key).map { String(text[$0.upperBound...].prefix(15)) }
        }
    }

    @Test func plainLayersComeOneByOne() throws {
        let scene = try Scene()
        let archive = scene.shale.work + "/nasty.tar"
        try NastyImage.write(archive)
        try scene.registry.fill("docker-archive:\(archive)", as: "nasty:1")
        let name = "\(scene.registry.host)/nasty:1"
        let blobs = try scene.blobs("nasty:1")
        func layers(_ fetched: [String]) -> [Int] {
            fetched.compactMap { line in
                blobs.firstIndex { line.hasPrefix($0) }
            }
        }
        // Manifest and config only.
        let table = try scene.ask("layers", "--remote", name)
        #expect(layers(table.fetched) == [0])
        #expect(table.output.text.contains("COPY . /app") && table.output.text.contains("?"))
        #expect(try layers(scene.ask("history", "--remote", name).fetched).isEmpty)
        // The highest layer has it.
        let top = try scene.ask("cat", "--remote", "\(name):/app/main.js")
        #expect(top.output.text == "console.log(1)\n" && layers(top.fetched) == [3])
        // The one below deletes it: the lowest is not asked.
        let gone = try scene.ask("cat", "--remote", "\(name):/etc/shadow", expecting: 1)
        #expect(gone.output.errors.contains("layer 2 deletes it") && layers(gone.fetched) == [2])
        // What came is kept.
        let again = try scene.ask("cat", "--remote", "\(name):/etc/passwd")
        #expect(again.output.text == "root:x:0:0:root:/root:/bin/bash\n" && again.fetched.isEmpty)
        let all = try scene.ask("find", "--remote", name, "-type", "f")
        #expect(layers(all.fetched) == [1] && all.output.text.contains("/usr/bin/again\n"))
        #expect(try scene.ask("ls", "-a", "--remote", "\(name)#2:/etc").output.text == "passwd\nD shadow (whiteout)\n")
        #expect(try scene.ask("layers", "--remote", name).output.text.contains("+1 ~1 -3"))
        // A pull finds all layers here.
        #expect(try layers(scene.ask("pull", name).fetched).allSatisfy { $0 == 0 })
        let local = try scene.shale.run(["find", name]).text
        #expect(try scene.ask("find", "--remote", name).output.text == local)
        #expect(try scene.shale.run(["system", "check"]).status == 0)
    }

    @Test(.enabled(if: Peer("curl").isPresent, "needs curl")) func estargzComesByItsTable() throws {
        let scene = try Scene()
        try StargzImage.push(to: scene.registry, as: "star")
        let name = "\(scene.registry.host)/star:1"
        let blobs = try scene.blobs("star:1")
        // Footer, table, file: three parts, and no whole layer.
        let top = try scene.ask("cat", "--remote", "\(name):/etc/new")
        #expect(top.output.text == "new\n")
        #expect(top.fetched.map { String($0.prefix(15)) } == [blobs[0], blobs[2], blobs[2], blobs[2]])
        #expect(top.fetched.dropFirst().allSatisfy { $0.contains(" 206 ") })
        let gone = try scene.ask("cat", "--remote", "\(name):/etc/gone", expecting: 1)
        #expect(gone.fetched.isEmpty)
        // Through a link; the lower layer's table is asked for once.
        let low = try scene.ask("cat", "--remote", "\(name):/lnk/os-release")
        #expect(low.output.text == "PRETTY_NAME=star\n" && low.fetched.count == 3)
        let files = try scene.ask("find", "--remote", name)
        #expect(files.output.text == "/\n/etc\n/etc/new\n/etc/os-release\n/lnk\n/usr\n/usr/large\n/usr/other\n")
        #expect(files.fetched.isEmpty)
        #expect(try scene.ask("stat", "--remote", "\(name):/usr/other").output.text.contains("Links: 2"))
        // Another name of a file has its bytes, and the second time they are here.
        let large = try scene.ask("cat", "--remote", "\(name):/usr/other")
        #expect(large.output.output == StargzImage.large && large.fetched.count == 1)
        #expect(try scene.ask("cat", "--remote", "\(name):/usr/large").fetched.isEmpty)
        // Any tool that knows no tables pulls it as it is; shale does, and sees the same.
        try scene.shale.run(["pull", name])
        #expect(try scene.shale.run(["cat", "\(name):/etc/new"]).text == "new\n")
    }

    @Test(.enabled(if: Peer("buildah").isPresent && geteuid() == 0, "needs buildah and root"))
    func zstdChunkedComesByItsTable() throws {
        let scene = try Scene()
        let folder = scene.shale.work
        let buildah = Peer(
            "buildah", leading: ["--root", folder + "/b", "--runroot", folder + "/br", "--storage-driver", "vfs"])
        func made(_ base: String, _ change: (String) throws -> Void, commit name: String) throws {
            let container = try buildah.run(["from", base]).text.filter { $0 != "\n" }
            try change(buildah.run(["mount", container]).text.filter { $0 != "\n" })
            try buildah.run(["commit", "-q", container, name])
        }
        try made(
            "scratch",
            { root in
                try FileManager.default.createDirectory(atPath: root + "/etc", withIntermediateDirectories: true)
                try Data("one\n".utf8).write(to: URL(filePath: root + "/etc/one"))
                try Data(StargzImage.large).write(to: URL(filePath: root + "/large"))
                try FileManager.default.createSymbolicLink(atPath: root + "/lnk", withDestinationPath: "etc")
            }, commit: "base")
        try made(
            "base",
            { root in
                unlink(root + "/etc/one")
                try Data("two\n".utf8).write(to: URL(filePath: root + "/etc/two"))
            }, commit: "zc")
        try buildah.run([
            "push", "--tls-verify=false", "--compression-format", "zstd:chunked", "zc",
            "docker://\(scene.registry.host)/zc:1",
        ])
        let name = "\(scene.registry.host)/zc:1"
        let top = try scene.ask("cat", "--remote", "\(name):/lnk/two")
        #expect(top.output.text == "two\n")
        // Config, both tables for the link, and the file.
        #expect(top.fetched.count { $0.contains(" 206 ") } == 3 && top.fetched.count == 4)
        let gone = try scene.ask("cat", "--remote", "\(name):/etc/one", expecting: 1)
        #expect(gone.fetched.isEmpty && gone.output.errors.contains("layer 2 deletes it"))
        let large = try scene.ask("cat", "--remote", "\(name):/large")
        #expect(large.output.output == StargzImage.large && large.fetched.count == 1)
        #expect(try scene.ask("ls", "--remote", "\(name):/etc").output.text == "two\n")
    }

    @Test func saysWhatIsWrong() throws {
        let scene = try Scene()
        let archive = scene.shale.work + "/nasty.tar"
        try NastyImage.write(archive)
        try scene.registry.fill("docker-archive:\(archive)", as: "nasty:1")
        let host = scene.registry.host
        for (words, message) in [
            (["ls", "--remote", "\(host)/nasty:2"], "pull \(host)/nasty:1 (its only tag)"),
            (["ls", "--remote", "\(host)/nasty:1#7"], "the image has layers 1 to 3"),
            (["cat", "--remote", "\(host)/nasty:1:/etc/passwt"], "did you mean \(host)/nasty:1:/etc/passwd?"),
            (["cat", "--remote", "\(host)/nasty:1:/loop1"], "too many levels of symbolic links"),
            (["ls", "--remote", "Nasty:1"], "must be lowercase"),
        ] {
            let outcome = try scene.shale.run(words, expecting: nil)
            #expect(outcome.status != 0 && outcome.errors.contains(message), "\(words): \(outcome.errors)")
        }
    }
}
