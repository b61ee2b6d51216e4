import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Looking into a nasty image, as someone at the command line sees it.
@Suite("looking into layers", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LookingTests {
    @Test func answersAreWhatIsThere() throws {
        let shale = try NastyImage.loaded()
        func text(_ words: String...) throws -> String { try shale.run(words).text }
        // Links stay inside, deleted files are still in their layer, whiteouts are told in a sentence.
        #expect(try text("ls", "nasty:1:/up") == "passwd\n")
        #expect(try text("cat", "nasty:1:/abs") == "root:x:0:0:root:/root:/bin/bash\n")
        #expect(try text("cat", "nasty:1#1:/etc/shadow") == "root:secret\n")
        #expect(try text("ls", "-a", "nasty:1#2:/etc") == "passwd\nD shadow (whiteout)\n")
        #expect(try text("ls", "nasty:1#2:/etc") == "passwd\n")
        #expect(
            try text("ls", "-a", "nasty:1#2:/") == "O cache (opaque: hides what the layers below have in it)\netc\n")
        #expect(try text("ls", "nasty:1:/cache") == "lock\n")
        #expect(try text("ls", "nasty:1:/bin/") == "again\ntool\n")
        // Names cannot drive a terminal, nor break a line.
        #expect(try text("find", "nasty:1:/opt", "-name", "new*") == "/opt/new\\nline\n")
        #expect(try text("find", "nasty:1:/opt", "-name", "esc*") == "/opt/esc\\e[31mred\n")
        // The first name of a file is gone, the second still holds its bytes.
        #expect(
            try text("stat", "--format", "{{.size}} {{.links}} {{.layer}}", "nasty:1:/usr/bin/again") == "3007 2 1\n")
        #expect(try text("size", "--format", "{{.visible}} {{.hidden}}", "nasty:1") == "3084 9042\n")
        #expect(try text("blame", "--format", "{{.layer}} {{.event}}", "nasty:1:/etc/shadow") == "1 made\n2 removed\n")
        #expect(try text("diff", "nasty:1#3") == "A /app\nA /app/main.js\nC /usr\nC /usr/bin\nC /usr/bin/tool\n")
        #expect(try text("diff", "nasty:1#1", "nasty:1#1").isEmpty)
        let patch = try text("diff", "nasty:1#2", "-u", "/etc/passwd")
        #expect(patch.hasSuffix("@@ -1 +1 @@\n-root:x:0:0:root:/root:/bin/sh\n+root:x:0:0:root:/root:/bin/bash\n"))
        #expect(try text("grep", "-rl", "root", "nasty:1:/etc") == "/etc/passwd\n")
        #expect(try text("du", "-s", "-b", "nasty:1") == "3084\t/\n")
    }

    @Test(arguments: [
        (["cat", "nasty:1:/loop1"], "nasty:1:/loop1: too many levels of symbolic links"),
        (["cat", "nasty:1:/etc"], "nasty:1:/etc: is a directory"),
        (["cat", "nasty:1:/etc/passwt"], "did you mean nasty:1:/etc/passwd?"),
        (["ls", "nasty:1:/etc/passwd/"], "not a directory: /etc/passwd is a file"),
        (["ls", "nasty:1#4:/"], "the image has layers 1 to 3"), (["ls", "nasty:1#0"], "the image has layers 1 to 3"),
        (["cat", "nasty:1:/etc/shadow"], "layer 2 deletes it; nasty:1#1:/etc/shadow still has it"),
        (["cat", "nasty:1#2:/etc/shadow"], "this layer deletes it"), (["grep", "x", "nasty:1:/etc"], "grep -r x"),
        (["layers", "nasty:1#4"], "the image has layers 1 to 3"), (["waste", "nasty:1#4"], "layers 1 to 3"),
        (["layers", "--platform", "linux/arm64", "nasty:1"], "does not match the specified platform (linux/arm64)"),
    ])
    func saysWhatIsWrong(_ words: [String], _ message: String) throws {
        let outcome = try Self.shared.get().run(words, expecting: nil)
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }
    private static let shared = Result { try NastyImage.loaded() }

    @Test func aLayerOrContainerIsNoMoreAlikeThanItsFiles() throws {
        let shale = try NastyImage.loaded()
        #expect(try shale.run(["layers", "--format", "{{.layer}}", "nasty:1#2"]).text == "2\n")
        #expect(try shale.run(["compare", "nasty:1#1", "nasty:1#2"], expecting: 1).text.contains("/etc/shadow"))
        #expect(try shale.run(["compare", "nasty:1", "nasty:1"]).text == "no differences\n")
        try shale.run(["create", "--name", "own", "nasty:1", "sh"])
        #expect(try shale.run(["compare", "nasty:1", "own"]).text == "no differences\n")
        try shale.run(["cp", "/etc/hostname", "own:/opt/mine"])
        #expect(try shale.run(["compare", "nasty:1", "own"], expecting: 1).text.contains("files\n  A /opt/mine\n"))
        #expect(try shale.run(["find", "nasty:1", "-newer", "nasty:1:/etc/passwd", "-name", "passwd"]).text.isEmpty)
    }

    /// A container is its image's layers, and the highest one its own: everywhere, by name and by number.
    @Test func aContainerHasOneLayerMore() throws {
        let shale = try NastyImage.loaded()
        func text(_ words: String...) throws -> String { try shale.run(words).text }
        try shale.run(["create", "--name", "own", "-e", "GREETING=hello", "nasty:1", "sh"])
        let host = shale.work + "/mine"
        try Data("mine\n".utf8).write(to: URL(filePath: host))
        try shale.run(["cp", host, "own:/opt/mine"])
        try shale.run(["cp", host, "own:/app/main.js"])

        let rows = try text(
            "layers", "--format", "{{.layer}} {{.size}} +{{.added}} ~{{.changed}} -{{.deleted}} {{.container}}", "own")
        #expect(rows.hasSuffix("\n4 10 +1 ~1 -0 own\n"), "\(rows)")
        #expect(try text("layers", "own").contains("the container's own changes"))
        #expect(try text("layers", "own#4").split(separator: "\n").count == 2)
        let drawing = try text("layers", "--draw", "own")
        #expect(drawing.hasPrefix("own (nasty:1)  3 layers and its own, "), "\(drawing)")
        #expect(drawing.contains("#4 own  its own, writable"))
        #expect(try text("layers", "--html", "-", "own").contains("<title>own (nasty:1) · layers</title>"))
        #expect(try text("find", "own#4:/", "-type", "f") == "/app/main.js\n/opt/mine\n")
        #expect(try text("cat", "own#4:/opt/mine", "own#3:/app/main.js") == "mine\nconsole.log(1)\n")
        #expect(try text("diff", "own#4") == text("diff", "own"))
        #expect(try text("diff", "own#4", "-u", "/etc/passwd").isEmpty)
        #expect(
            try text("blame", "--format", "{{.layer}} {{.event}} {{.size}}", "own:/app/main.js")
                == "3 made 15\n<no value> changed 5\n")

        // What the image's layers hold stays when the container goes.
        let whole = try text("size", "--format", "{{.onDisk}} {{.hidden}}", "nasty:1").split(separator: " ")
        let onDisk = Int(whole[0]) ?? 0
        #expect(
            try text("size", "--format", "{{.onDisk}} {{.shared}} {{.unique}}", "own")
                == "\(onDisk + 10) \(onDisk) 10\n")
        #expect(try text("size", "--format", "{{.onDisk}} {{.visible}}", "own#3") == "33 18\n")
        #expect(try text("waste", "own").contains("layer #3 holds 15B that layer #4 hides: /app/main.js"))
        #expect(
            try text("base", "--format", "{{.name}} {{.layers}} {{.known}}", "own").hasPrefix("nasty:1 3 container\n"))
        let history = try text("history", "--layers", "--format", "{{.Layer}} {{.Files}} {{.Unpacked}}", "own")
        #expect(history.hasPrefix("4 +4 10B\n3 "), "\(history)")
        let compared = try shale.run(["compare", "nasty:1", "own"], expecting: 1).text
        #expect(compared.contains("\n  + Env.GREETING: hello\n"), "\(compared)")
        #expect(compared.contains("files\n  C /app/main.js  (content, mtime, size)\n  A /opt/mine\n"), "\(compared)")

        // The Dockerfile adds what it changed to its image, and makes the same files.
        #expect(
            try text("dockerfile", "own").hasPrefix("FROM nasty:1\nENV GREETING=hello\n# ? what the container changed"))
        try shale.run(["dockerfile", "--extract", "again", "own"])
        try shale.run(["build", "-q", "-t", "again:1", shale.work + "/again"])
        #expect(try text("diff", "again:1", "own").isEmpty)
    }

    /// What no layer could hold, and what takes long to read.
    @Test func aContainersOwnFilesAreWhatTheyAre() throws {
        let shale = try NastyImage.loaded()
        func text(_ words: String...) throws -> String { try shale.run(words).text }
        let id = try text("create", "--name", "own", "nasty:1", "sh").filter { $0 != "\n" }
        let upper = "\(shale.home)/containers/\(id)/upper"
        try #require(mknod(upper + "/sock", S_IFSOCK | 0o755, 0) == 0)
        try Data().write(to: URL(filePath: upper + "/huge"))
        try #require(truncate(upper + "/huge", 10 << 30) == 0)

        #expect(try text("find", "own", "-type", "s") == "/sock\n")
        #expect(try text("ls", "-l", "own:/sock").hasPrefix("srwx"))
        #expect(
            try shale.run(["cat", "own:/sock"], expecting: 1).errors.contains("own:/sock: is a socket, not a file"))
        // A commit leaves sockets out.
        #expect(try text("find", "own#4:/") == "/\n/huge\n")
        #expect(
            try text("stat", "own:/huge").contains("  Digest: not read for so large a file: cat own:/huge | sha256sum"))
        #expect(try text("size", "--format", "{{.unique}}", "own") == "\(10 << 30)\n")
    }

    @Test func twoLayersAreComparedByThemselves() throws {
        let shale = try NastyImage.loaded()
        // A deletion is told as one, and an image's size and history are none of a layer's.
        let text = try shale.run(["compare", "nasty:1#1", "nasty:1#2"], expecting: 1).text
        #expect(text.contains("\n  C /etc/shadow  (file -> whiteout)\n"), "\(text)")
        #expect(!text.contains("config\n") && !text.contains("packages\n"))
        #expect(try shale.run(["diff", "nasty:1#3", "nasty:1#2"]).text.contains("A /etc/shadow  (whiteout)\n"))
        #expect(try shale.run(["compare", "nasty:1#2", "nasty:1#2"]).text == "no differences\n")
        let sizes = try shale.run(
            ["compare", "--format", "{{.size.old}} {{.size.new}}", "nasty:1#2", "nasty:1#3"], expecting: 1)
        let each = try shale.run(["layers", "--format", "{{.size}}", "nasty:1"]).text.split(separator: "\n")
        #expect(sizes.text == "\(each[1]) \(each[2])\n")
    }

    /// What is told of a whole image is refused of a part, in one voice.
    @Test(arguments: ["waste", "base", "dockerfile", "history"]) func aPartIsNoImage(_ verb: String) throws {
        let shale = try Self.shared.get()
        let layer = try shale.run([verb, "nasty:1#2"], expecting: nil)
        #expect(
            layer.errors == """
                shale: \(verb): nasty:1#2 is one layer: \(verb) is of a whole image or container
                hint: \(verb) nasty:1

                """)
        #expect(layer.status == 64)
        if verb == "history" {
            let remote = try shale.run([verb, "--remote", "localhost:1/nasty:1#2"], expecting: nil)
            #expect(remote.errors.contains("hint: history --remote localhost:1/nasty:1\n"), "\(remote.errors)")
        }
        let place = try shale.run([verb, "nasty:1:/etc"], expecting: nil)
        #expect(place.errors.contains("\(verb): nasty:1:/etc is a place inside of nasty:1\n"), "\(place.errors)")
        let beyond = try shale.run([verb, "nasty:1#9"], expecting: nil)
        #expect(beyond.errors.contains("nasty:1#9: no such layer: the image has layers 1 to 3\n"), "\(beyond.errors)")
    }

    @Test func goesIntoAnImage() throws {
        let shale = try NastyImage.loaded()
        func script(_ text: String, expecting status: Int32? = 0) throws -> Peer.Outcome {
            try shale.run(["-c", text], expecting: status)
        }
        #expect(
            try script("cd nasty:1:/usr\npwd\nls\ncd bin\nls\ncat ../../etc/passwd\ncd /etc\nls\ncd ..\npwd").text
                == "nasty:1:/usr\nbin\nagain\ntool\nroot:x:0:0:root:/root:/bin/bash\npasswd\nnasty:1:/\n")
        let back = try script("cd /tmp\ncd nasty:1#1:/etc\ncat shadow\ncd -").text
        #expect(back == "root:secret\n/tmp\n")
        #expect(try script("cd nasty:1:/etc/passwd", expecting: nil).errors.contains("not a directory"))
        #expect(try script("cd nasty:1:/ect", expecting: nil).errors.contains("did you mean nasty:1:/etc?"))
        #expect(try script("cd nasti:1:/", expecting: nil).errors.contains("No such image: nasti:1"))
    }

    /// Each index that is damaged, cut short, empty or gone is made again, and tells the same.
    @Test(arguments: ["flip", "cut", "empty", "gone"]) func anIndexIsMadeAgain(_ harm: String) throws {
        let shale = try NastyImage.loaded()
        func answers() throws -> [String] {
            try [["ls", "-la", "nasty:1:/opt"], ["layers", "nasty:1"], ["waste", "nasty:1"], ["diff", "nasty:1#2"]].map
            {
                try shale.run($0).text
            }
        }
        let before = try answers()
        for layer in try FileManager.default.contentsOfDirectory(atPath: shale.home + "/layers") {
            let index = URL(filePath: "\(shale.home)/layers/\(layer)/index")
            var bytes = try Data(contentsOf: index)
            switch harm {
            case "flip": bytes[bytes.count / 2] ^= 0x40
            case "cut": bytes.removeLast(9)
            case "empty": bytes = Data()
            default: break
            }
            if harm == "gone" { unlink(index.path) } else { try bytes.write(to: index) }
        }
        let first = try shale.run(["layers", "nasty:1"])
        #expect(first.errors.contains("its index was damaged, and is made again"), "\(first.errors)")
        #expect(try answers() == before)
        #expect(try shale.run(["layers", "nasty:1"]).errors.isEmpty)
    }

    /// A file far larger than memory should hold, nearly all hole.
    @Test func aSparseGiantIsNotRead() throws {
        let shale = ShaleHome()
        let folder = shale.work
        let giant = open(folder + "/giant", O_CREAT | O_RDWR, 0o644)
        ftruncate(giant, 3 << 30)
        pwrite(giant, "end\n", 4, (3 << 30) - 4)
        close(giant)
        try Peers.tar.run(["-C", folder, "--sparse", "-cf", folder + "/giant.tar", "giant"])
        try shale.run(["import", folder + "/giant.tar", "giant:1"])
        #expect(try shale.run(["ls", "-l", "giant:1:/"]).text.contains("3221225472"))
        #expect(try shale.run(["du", "-s", "-b", "giant:1"]).text == "3221225472\t/\n")
        let digest = try shale.run(["stat", "--format", "{{.digest}}", "giant:1:/giant"]).text
        #expect(digest.hasPrefix("sha256:"))
        let diff = try shale.run(["diff", "giant:1#1", "-u", "/giant"], expecting: nil)
        #expect(diff.status == 1 && diff.errors.contains("too large"), "\(diff.errors)")
    }
}
