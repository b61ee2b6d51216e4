import FoundationEssentials
import TestSupport
import Testing

/// What shale sees in images of others, held against what their makers see.
@Suite("looking beside docker and podman", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PeerLookingTests {
    /// Every kind of change: made, written again, moved, deleted, a directory put in a directory's place, a file in a
    /// directory's, links of both kinds, devices, owners, modes.
    private static let dockerfile = """
        FROM busybox
        COPY . /src/
        RUN echo one > /one && chown 7:8 /one && ln /one /hard && ln -s /one /soft && mkdir -p /d/e && echo x > /d/e/x && mknod /null c 1 3
        RUN mkfifo /pipe && chmod 4755 /pipe && mkdir -m 1777 /open && touch "/a b" /ü
        RUN rm -rf /d && mkdir /d && echo y > /d/y
        RUN rm /one && echo two > /one && rm /src/a.txt && mv /src/sub /moved
        RUN rm -rf /moved && echo file > /moved
        """

    /// What docker mounts over a container's files, and its archive therefore holds.
    private static let stubs: Set<String> = [
        "/.dockerenv", "/dev", "/dev/console", "/dev/pts", "/dev/shm", "/etc/hostname", "/etc/hosts", "/etc/mtab",
        "/etc/resolv.conf", "/proc", "/sys",
    ]

    @Test(.enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)")) func docker() throws {
        let shale = ShaleHome()
        let folder = shale.work
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/context/sub", withIntermediateDirectories: true)
        for (path, text) in [("Dockerfile", Self.dockerfile), ("a.txt", "a"), ("sub/b.txt", "b")] {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/context/\(path)"))
        }
        let daemon = try DockerDaemon()
        try shale.run(["save", "-o", folder + "/busybox.tar", "busybox"])
        try daemon.docker(["load", "-q", "-i", folder + "/busybox.tar"])
        try daemon.docker(["build", "-q", "--network", "host", "-t", "every:1", folder + "/context"])
        try daemon.docker(["save", "-o", folder + "/every.tar", "every:1"])
        try shale.run(["load", "-i", folder + "/every.tar"])

        // Every path, its type, mode, owner and size, as `docker export` has them.
        try daemon.docker(["create", "--name", "every", "every:1"])
        try daemon.docker(["export", "-o", folder + "/export.tar", "every"])
        try files.createDirectory(atPath: folder + "/tree", withIntermediateDirectories: true)
        try Peers.tar.run(["-C", folder + "/tree", "--numeric-owner", "-xpf", folder + "/export.tar"])
        let facts = #"%y %m %U/%G %s /%P\n"#
        let letters = ["file": "f", "directory": "d", "symlink": "l", "fifo": "p", "char": "c", "block": "b"]
        let theirs = try Peer("find").run([folder + "/tree", "-mindepth", "1", "-printf", facts]).text
        let expected = Set(theirs.split(separator: "\n").map { Self.line($0) }).filter {
            !Self.stubs.contains(Self.path($0))
        }
        let format = "{{.type}} {{.mode}} {{.uid}}/{{.gid}} {{.size}} {{.path}}"
        let ours = try shale.run(["find", "every:1", "--format", format]).text.split(separator: "\n").map { line in
            let words = line.split(separator: " ", maxSplits: 1)
            return Self.line("\(letters[String(words[0])] ?? "?") \(words[1])")
        }
        let found = Set(ours).filter { Self.path($0) != "/" && !Self.stubs.contains(Self.path($0)) }
        #expect(found == expected, "\(found.symmetricDifference(expected).sorted().joined(separator: "\n"))")

        // What each step did, and what is left of what it undid.
        #expect(try shale.run(["diff", "every:1#7"]).text == "C /d\nD /d/e\nA /d/y\n")
        #expect(try shale.run(["diff", "every:1#9"]).text == "C /moved\n")
        #expect(try shale.run(["cat", "every:1#4:/src/a.txt"]).text == "a")
        #expect(try shale.run(["ls", "-a", "every:1#8:/src"]).text == "D a.txt (whiteout)\nD sub (whiteout)\n")
        #expect(try shale.run(["base", "--format", "{{.name}}", "every:1"]).text == "busybox:latest\n")
        let story = try shale.run(["blame", "--format", "{{.layer}} {{.event}}", "every:1:/one"]).text
        #expect(story == "5 made\n8 changed\n")

        if Peers.podman.isPresent {
            let podman = Peer(
                "podman", leading: ["--root", folder + "/p", "--runroot", folder + "/pr", "--storage-driver", "vfs"])
            for archive in ["busybox", "every"] { try podman.run(["load", "-q", "-i", "\(folder)/\(archive).tar"]) }
            let theirs = try podman.run(["image", "diff", "every:1", "busybox"]).text.split(separator: "\n").sorted()
            let ours = try shale.run(["diff", "busybox", "every:1"]).text.split(separator: "\n").sorted()
            #expect(ours == theirs)
        }

        // The Dockerfile read out of it, with its files, makes the same tree again.
        try shale.run(["dockerfile", "--extract", "again", "every:1"])
        try shale.run(["build", "-q", "-t", "again:1", folder + "/again"])
        let same = try shale.run(["diff", "every:1", "again:1", "--why"]).text
        #expect(
            same.split(separator: "\n").allSatisfy {
                $0.hasSuffix("(mtime)") || $0.hasPrefix("C ") && !$0.contains("(")
            }, "\(same)")
    }

    /// Directories have no size of their own in archives, modes four digits.
    private static func line(_ line: some StringProtocol) -> String {
        var words = String(line).split(separator: " ", maxSplits: 4).map(String.init)
        guard words.count == 5 else { return String(line) }
        words[1] = String(repeating: "0", count: max(0, 4 - words[1].count)) + words[1]
        if words[0] == "d" { words[3] = "0" }
        return words.joined(separator: " ")
    }

    private static func path(_ line: String) -> String {
        line.split(separator: " ", maxSplits: 4).last.map(String.init) ?? ""
    }

    @Test(.enabled(if: Peers.umoci.isPresent, "umoci is not installed")) func umoci() throws {
        let shale = ShaleHome()
        let folder = shale.work
        let layout = folder + "/layout:one"
        try Peers.umoci.run(["init", "--layout", folder + "/layout"])
        try Peers.umoci.run(["new", "--image", layout])
        for (file, text, place) in [
            ("a", "first\n", "/etc/a"), ("b", "second\n", "/etc/b"), ("c", "third\n", "/etc/a"),
        ] {
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(file)"))
            try Peers.umoci.run(["insert", "--rootless", "--image", layout, "\(folder)/\(file)", place])
        }
        try Peers.umoci.run(["insert", "--rootless", "--image", layout, "--whiteout", "/etc/b"])
        let loaded = try shale.run(["load", "-i", folder + "/layout"]).text
        let name = String(loaded.split(whereSeparator: \.isNewline)[0].split(separator: " ").last ?? "")
        #expect(try shale.run(["find", name]).text == "/\n/etc\n/etc/a\n")
        #expect(
            try shale.run(["cat", "\(name):/etc/a", "\(name)#1:/etc/a", "\(name)#2:/etc/b"]).text
                == "third\nfirst\nsecond\n")
        #expect(try shale.run(["ls", "-a", "\(name)#4:/etc"]).text == "D b (whiteout)\n")
        let story = try shale.run(["blame", "--format", "{{.layer}} {{.event}}", "\(name):/etc/b"]).text
        #expect(story == "2 made\n4 removed\n")
    }
}
