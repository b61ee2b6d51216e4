import FoundationEssentials
import TestSupport
import Testing

/// Lists that belong together: a history and its layers, a manifest and its media types.
@Suite("lists that belong together", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PairedListsTests {
    /// A shale with `base:1`, two layers of which the history tells `told`, and `child:1` with one more made here.
    private static func built(told: Int) throws -> ShaleHome {
        let shale = ShaleHome()
        let archive = shale.work + "/base.tar"
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("a", "a")], [.init("b", "bb")]], tag: "base:1", told: told)
        try shale.run(["load", "-i", archive])
        try Data("mine!".utf8).write(to: URL(filePath: shale.work + "/mine"))
        try Data("FROM base:1\nENV X=y\nCOPY mine /mine\n".utf8).write(
            to: URL(filePath: shale.work + "/Dockerfile"))
        try shale.run(["build", "-q", "-t", "child:1", "."])
        return shale
    }

    @Test(arguments: 0...2) func aHistoryThatDoesNotFitItsLayers(_ told: Int) throws {
        let shale = try Self.built(told: told)
        func text(_ words: String...) throws -> String { try shale.run(words).text }
        func maker(_ place: String) throws -> String { try text("blame", "--format", "{{.instruction}}", place) }
        let bases = (0..<2).map { $0 < told ? "COPY layer \($0)" : "" }
        /// All views of an image with one more layer on the base's.
        func check(_ image: String, top: String) throws {
            #expect(try maker("\(image):/a") == bases[0] + "\n")
            #expect(try maker("\(image):/b") == bases[1] + "\n")
            #expect(try maker("\(image):/mine").contains(top))
            let rows = try text("history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", image)
                .split(separator: "\n").map(String.init)
            #expect(rows.count == 4)
            #expect(rows[0].hasPrefix("5 ") && rows[0].contains("/mine"), "\(rows)")
            #expect(rows[1].hasPrefix("0 ") && rows[1].contains("X=y"), "\(rows)")
            #expect(rows[2...] == ["2 \(bases[1])", "1 \(bases[0])"], "\(rows)")
            let layers = try text("layers", "--format", "{{.layer}} {{.instruction}}", image).split(separator: "\n")
            #expect(layers.count == 3 && layers[0] == "1 \(bases[0])" && layers[1] == "2 \(bases[1])", "\(layers)")
            #expect(layers[2].contains(top), "\(layers)")
        }
        try check("child:1", top: "COPY mine /mine")
        #expect(try text("dockerfile", "child:1").hasSuffix("ENV X=y\nCOPY mine /mine\n"))
        // What the lists say travels with the image.
        try shale.run(["save", "-o", "child.tar", "child:1"])
        let other = ShaleHome()
        try other.run(["load", "-i", shale.work + "/child.tar"])
        let rows = try other.run(["history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", "child:1"]).text
        #expect(rows.contains("5 COPY mine /mine") || rows.contains("5 /bin/sh -c #(nop) COPY"), "\(rows)")
        // A commit on it is one more.
        try shale.run(["create", "--name", "own", "base:1", "sh"])
        try shale.run(["cp", "mine", "own:/mine"])
        try shale.run(["commit", "own", "committed:1"])
        #expect(try maker("committed:1:/b") == bases[1] + "\n")
        #expect(
            try text("history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", "committed:1")
                == "5 sh\n2 \(bases[1])\n1 \(bases[0])\n")
    }

    @Test(
        .enabled(
            if: RegistryServer.isPresent && Peers.skopeo.isPresent && Peers.umoci.isPresent,
            "needs docker-registry, skopeo and umoci"))
    func aManifestSpeaksOneLanguage() throws {
        let server = try RegistryServer()
        defer { server.stop() }
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(archive, layers: [[.init("a", "a")], [.init("b", "bb")]])
        // A docker archive becomes a docker manifest there.
        try server.fill("docker-archive:\(archive)", as: "base:1")
        let shale = ShaleHome()
        let name = "\(server.url.dropFirst("http://".count))/base:1"
        try Data("mine!".utf8).write(to: URL(filePath: shale.work + "/mine"))
        try Data("FROM \(name)\nCOPY mine /mine\n".utf8).write(
            to: URL(filePath: shale.work + "/Dockerfile"))
        try shale.run(["build", "-q", "-t", "child", "."])
        func types(_ text: String) -> Set<Substring> {
            Set(text.split(separator: "\"").filter { $0.hasPrefix("application/vnd.") })
        }
        /// A manifest as it lies in the store, which is a layout that skopeo reads.
        func manifest(_ name: String) throws -> String {
            try Peers.skopeo.run(["inspect", "--raw", "oci:\(shale.home):\(name)"]).text
        }
        try shale.run(["create", "--name", "box", name, "x"])
        try shale.run(["commit", "box", "committed"])
        try Peers.tar.run(["-cf", shale.work + "/mine.tar", "-C", shale.work, "mine"])
        for words in [
            ["squash", "child", "--from", "2"], ["config", name, "--env", "A=b"], ["append", name, "mine.tar"],
            ["rebase", "child", "--new", name],
        ] {
            try shale.run(words + ["-t", words[0]])
        }
        for image in ["child", "committed", "squash", "config", "append", "rebase"] {
            let made = try manifest("docker.io/library/\(image):latest")
            #expect(
                types(made).count > 1 && types(made).allSatisfy { $0.hasPrefix("application/vnd.oci.image.") },
                "\(image): \(made)")
            // The archives say the same of it as the home does.
            for format in ["both", "oci"] {
                try shale.run(["save", "--format", format, "-o", "\(format).tar", image])
                let saved = try Peers.skopeo.run([
                    "inspect", "--raw", "oci-archive:\(shale.work)/\(format).tar:latest",
                ])
                #expect(saved.text == made, "\(image) \(format)")
            }
            try shale.run(["save", "--format", "docker", "-o", "docker.tar", image])
            try Peers.skopeo.run(["inspect", "docker-archive:\(shale.work)/docker.tar"])
        }
        // The base keeps the words, and so the digest, it came with.
        let base = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)"]).text
        #expect(types(base).count > 1 && types(base).allSatisfy { $0.hasPrefix("application/vnd.docker.") }, "\(base)")
        try Peers.umoci.run(
            [
                "unpack", "--rootless", "--image", "\(shale.home):docker.io/library/child:latest",
                shale.work + "/bundle",
            ])
        #expect(
            try String(contentsOf: URL(filePath: shale.work + "/bundle/rootfs/mine"), encoding: .utf8) == "mine!"
        )
    }

    @Test func anImageOfNoLayersIsAnEmptyDirectory() throws {
        let shale = ShaleHome()
        func text(_ words: String...) throws -> String { try shale.run(words).text }
        try Data("FROM scratch\nENV WHO=none\nLABEL a=b\n".utf8).write(
            to: URL(filePath: shale.work + "/Dockerfile"))
        try shale.run(["build", "-q", "-t", "none:1", "."])
        try shale.run(["export", "-o", "none.tar", "none:1"])
        #expect(try Peers.tar.run(["-tf", shale.work + "/none.tar"]).text.split(separator: "\n").count <= 1)
        #expect(try text("ls", "-a", "none:1:/") == "")
        #expect(try text("find", "none:1") == "/\n")
        #expect(try text("stat", "none:1:/").contains("directory"))
        #expect(try text("diff", "none:1", "none:1") == "")
        #expect(try text("compare", "none:1", "none:1") == "no differences\n")
        #expect(try text("recipe", "none:1").contains("FROM scratch"))
        try shale.run(["recipe", "verify", "none:1"])
        for words in [
            ["layers"], ["layers", "--tree"], ["layers", "--draw"], ["layers", "--html", "page.html"], ["history"],
            ["history", "--layers"], ["size"], ["waste"], ["packages"], ["du"], ["dockerfile"], ["inspect"], ["tree"],
            ["images", "--tree"], ["save", "--format", "oci", "-o", "oci.tar"],
            ["save", "--format", "docker", "-o", "docker.tar"], ["config", "--env", "B=c", "-t", "none:2"],
        ] {
            try shale.run(words + ["none:1"])
        }
        #expect(try text("stat", "none:1:/").contains("Layer: none: the image has no layers"))
        for archive in ["oci.tar", "docker.tar"] {
            #expect(try text("load", "-i", archive) == "Loaded image: none:1\n")
        }
        try shale.run(["import", "none.tar", "imported:1"])
        #expect(try text("ls", "imported:1:/") == "")
        #expect(try text("recipe", "verify", "none:2").contains("same files, same config"))
        try shale.run(["rebase", "none:1", "--old", "none:1", "--new", "imported:1", "-t", "none:3"])
        // A container of it, files put into it, and an image of that.
        try shale.run(["create", "--name", "box", "none:1", "/x"])
        try shale.run(["cp", "Dockerfile", "box:/f"])
        #expect(try text("diff", "box") == "A /f\n")
        try shale.run(["commit", "box", "full:1"])
        try shale.run(["recipe", "verify", "full:1"])
        try shale.run(["append", "none:1", "none.tar", "-t", "none:4"])
        try shale.run(["tag", "none:4", "none:5"])
        try shale.run(["rmi", "none:4", "none:5"])
        try shale.run(["save", "-o", "saved.tar", "none:1"])
        try shale.run(["load", "-i", "saved.tar"])
        for (words, message) in [
            (["cat", "none:1:/x"], "no such file"), (["layers", "none:1#1"], "the image has no layers"),
            (["run", "none:1"], "no command specified"), (["create", "none:1"], "no command specified"),
            (["squash", "none:1"], "the image has no layers"), (["base", "none:1"], "nothing here tells"),
        ] {
            let outcome = try shale.run(words, expecting: nil)
            #expect(outcome.status != 0)
            #expect(outcome.errors.lowercased().contains(message), "\(outcome.errors)")
        }
    }
}
