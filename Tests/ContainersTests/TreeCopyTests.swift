import Basics
import Dockerfiles
import FoundationEssentials
import Glibc
import Linux
import TestSupport
import Testing

@testable import Containers

@Suite("TreeCopy")
struct TreeCopyTests {
    /// Two roots, `from` and `to`, and a place beside them that nothing may reach.
    private struct Rooms {
        let folder: TemporaryDirectory
        let from: RootDirectory
        let to: RootDirectory

        init() throws {
            folder = TemporaryDirectory()
            try Peer("sh").run(["-ec", "mkdir from to outside; echo secret > outside/secret"], in: folder.path)
            from = try RootDirectory(hostPath: folder.path + "/from")
            to = try RootDirectory(hostPath: folder.path + "/to")
        }

        func sh(_ script: String) throws -> String { try Peer("sh").run(["-ec", script], in: folder.path).text }
    }

    @Test("a tree keeps modes, times, links, hard links and special files")
    func wholeTree() throws {
        let rooms = try Rooms()
        _ = try rooms.sh(
            """
            cd from; mkdir -p d/sub; echo one > d/f; ln d/f d/sub/g; ln -s ../../../outside/secret d/link
            mkfifo d/pipe; chmod 4751 d/f; chmod 1700 d/sub; touch -d @1000000000 d/f d/sub d
            """)
        let copied = try TreeCopy(from: rooms.from, to: rooms.to).copy("/d", to: "/e")
        #expect(copied == CopiedTree(files: 4, directories: 2, bytes: 4, blockBytes: 512))
        let listing = try rooms.sh(
            "cd to/e; stat -c '%n %a %Y %h %F' f sub; test f -ef sub/g; readlink link; test -p pipe")
        #expect(
            listing == """
                f 4751 1000000000 2 regular file
                sub 1700 1000000000 2 directory
                ../../../outside/secret

                """)
    }

    @Test("links at the destination stay inside the root")
    func hostileDestination() throws {
        let rooms = try Rooms()
        _ = try rooms.sh(
            """
            echo x > from/x; mkdir -p from/t/a; echo y > from/t/a/y
            ln -s ../outside to/up; ln -s /up/secret to/abs; mkdir -p to/t; ln -s ../../outside to/t/a
            """)
        let copy = TreeCopy(from: rooms.from, to: rooms.to)
        #expect(throws: ShaleError.self) { try copy.copy("x", to: "up/secret") }
        #expect(throws: ShaleError.self) { try copy.copy("x", to: "abs") }
        try copy.copy("t", to: "t")
        #expect(try rooms.sh("cat outside/secret; ls outside; cat to/t/a/y; test -d to/t/a") == "secret\nsecret\ny\n")
    }

    @Test("a link at the destination is followed, also one that leads nowhere yet")
    func destinationLink() throws {
        let rooms = try Rooms()
        _ = try rooms.sh("echo x > from/x; mkdir to/d; ln -s /d/new to/l; echo old > to/d/o; ln -s d/o to/m")
        let copy = TreeCopy(from: rooms.from, to: rooms.to)
        try copy.copy("x", to: "l")
        try copy.copy("x", to: "m")
        #expect(try rooms.sh("cat to/d/new to/d/o; readlink to/l to/m") == "x\nx\n/d/new\nd/o\n")
    }

    @Test("the filter leaves out, prunes, and makes directories only for what is in them")
    func filter() throws {
        let rooms = try Rooms()
        _ = try rooms.sh(
            "cd from; mkdir -p a/b/c a/empty a/gone; touch a/b/c/keep a/b/drop a/gone/keep a/top; chmod 711 a/b")
        var options = TreeCopyOptions()
        options.include = { path, isDirectory in
            if path == "gone" { return .prune }
            return path.hasSuffix("keep") ? .include : .skip
        }
        try TreeCopy(from: rooms.from, to: rooms.to, options: options).copy("a", to: "a")
        #expect(try rooms.sh("cd to; find a | sort; stat -c %a a/b") == "a\na/b\na/b/c\na/b/c/keep\n711\n")
    }

    @Test("kinds are replaced for COPY and refused for cp", arguments: [true, false])
    func kinds(replaces: Bool) throws {
        let rooms = try Rooms()
        _ = try rooms.sh("mkdir -p from/s/x to/s/y; echo f > from/s/y; echo g > to/s/x; echo h > to/s/y/h")
        var options = TreeCopyOptions()
        options.replacesOtherKinds = replaces
        let copy = TreeCopy(from: rooms.from, to: rooms.to, options: options)
        if replaces {
            try copy.copy("s", to: "s")
            #expect(try rooms.sh("test -d to/s/x; cat to/s/y") == "f\n")
        } else {
            #expect {
                try copy.copy("s", to: "s")
            } throws: {
                ($0 as? ShaleError)?.code == .conflict
            }
        }
    }

    @Test("owner, mode and parents are made as told", .enabled(if: geteuid() == 0, "needs root to give files away"))
    func owners() throws {
        let rooms = try Rooms()
        _ = try rooms.sh("mkdir from/d; echo x > from/d/x")
        var options = TreeCopyOptions()
        options.owner = TreeCopyOptions.Owner(uid: 7, gid: 8)
        options.mode = .fixed(0o640)
        options.makeParents = true
        try TreeCopy(from: rooms.from, to: rooms.to, options: options).copy("d/x", to: "/p/q/x")
        #expect(try rooms.sh("stat -c '%a %u:%g' to/p/q to/p/q/x") == "755 7:8\n640 7:8\n")
    }

    @Test("deep trees neither overflow nor run out of descriptors")
    func deep() throws {
        let rooms = try Rooms()
        _ = try rooms.sh("cd from; mkdir -p d/$(printf 'd/%.0s' $(seq 1000))")
        try TreeCopy(from: rooms.from, to: rooms.to).copy("d", to: "d")
        try TreeRemoval.remove("d", in: rooms.to.descriptor)
        #expect(try rooms.sh("ls to") == "")
    }
}
