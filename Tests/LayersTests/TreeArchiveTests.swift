import Basics
import Glibc
import Layers
import Linux
import TestSupport
import Testing

@Suite("archives of trees")
struct TreeArchiveTests {
    private static let tree = TarBytes.archive([
        .init(name: "a", type: "5", mode: 0o750, uid: 0, mtime: 5),
        .init(name: "a/f", content: [1, 2, 3], mode: 0o4711),
        .init(name: "a/g", type: "1", link: "a/f"), .init(name: "a/l", type: "2", link: "/etc/passwd"),
        .init(name: "a/p", type: "6"), .init(name: "a/x", pax: [("SCHILY.xattr.user.k", [9])]),
    ])

    private func stack() throws -> LayerStack {
        var stack = LayerStack()
        try stack.push(Self.tree)
        return stack
    }

    private func pack(_ tree: MergedTree, _ path: String, _ options: TreeArchive.PackOptions) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try TreeArchive.pack(tree, path: path, options: options) { chunk throws(ShaleError) in
            bytes.append(contentsOf: chunk)
        }
        return bytes
    }

    private func names(_ bytes: [UInt8]) throws -> [String] {
        let reader = try ArchiveReader(BytesSource(bytes), subject: "test")
        var names: [String] = []
        while let entry = try reader.next() { names.append(entry.pathText) }
        return names
    }

    @Test("a tree packed and unpacked is the same tree")
    func roundTrip() throws {
        let stack = try stack()
        let bytes = try pack(stack.tree, "/", .init())
        var copy = LayerStack()
        let root = try copy.makeDirectory()
        _ = try TreeArchive.unpack(BytesSource(bytes), into: root, subject: "test")
        copy.push(root: root)
        #expect(try FileTreeComparison(stack.tree, copy.tree).differences().isEmpty)
        #expect(try pack(copy.tree, "/", .init()) == bytes)
    }

    @Test(
        "the top is called as asked",
        arguments: [
            ("/", "", ["a/", "a/f", "a/g", "a/l", "a/p", "a/x"]),
            ("/a", "b", ["b/", "b/f", "b/g", "b/l", "b/p", "b/x"]),
            ("/a", "", ["f", "g", "l", "p", "x"]), ("/a/f", "n", ["n"]), ("/a/f", "", ["f"]), ("/a/l", "k", ["k"]),
            ("/", "r", ["r/", "r/a/", "r/a/f", "r/a/g", "r/a/l", "r/a/p", "r/a/x"]),
        ])
    func packingNames(path: String, name: String, expected: [String]) throws {
        let stack = try stack()
        let bytes = try pack(stack.tree, path, .init(name: name, followsLink: false))
        #expect(try names(bytes) == expected)
    }

    @Test("unpacking keeps inside, replaces what is in the way, renames and gives owners")
    func unpacking() throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive([
                .init(name: "etc", type: "5", mode: 0o755), .init(name: "out", type: "2", link: "../../etc"),
                .init(name: "dst", type: "5", mode: 0o755), .init(name: "dst/f", type: "5", mode: 0o755),
                .init(name: "dst/f/old"),
            ]))
        let root = stack.roots[0]
        let archive = TarBytes.archive([
            .init(name: "src", type: "5", mode: 0o711, mtime: 9), .init(name: "src/f", content: [1]),
            .init(name: "src/h", type: "1", link: "src/f"), .init(name: "src/.wh.f", content: [2]),
            .init(name: "../../up", content: [3]),
        ])
        let unpacked = try TreeArchive.unpack(
            BytesSource(archive), into: root, at: "/dst", subject: "archive test",
            options: .init(owner: (0, 0), renaming: (from: "src", to: ".")))
        #expect(unpacked.contentBytes == 3)
        let tree = stack.tree
        #expect(try tree.contents(of: "/dst/f") == [1])
        #expect(try tree.contents(of: "/dst/.wh.f") == [2])
        #expect(try tree.contents(of: "/dst/up") == [3])
        #expect(try tree.entry("/dst", followingLinks: false)?.status.permissions == 0o711)
        // Through a link of the tree's own, as `cp` follows it.
        _ = try TreeArchive.unpack(
            BytesSource(TarBytes.archive([.init(name: "made", content: [4])])), into: root, at: "/out/deep",
            subject: "test")
        #expect(try tree.contents(of: "/etc/deep/made") == [4])
    }

    @Test(
        "what leads above the directory unpacked into is refused when asked",
        arguments: [
            ("../evil", nil, "\"../evil\" is outside of \"/dst\""),
            ("a/../../evil", nil, "\"a/../../evil\" is outside of \"/dst\""),
            ("..", nil, "\"..\" is outside of \"/dst\""), ("/evil", nil, nil), ("a/../in", nil, nil),
            ("link", "../out", "\"../out\" is outside of \"/dst\""), ("link", "../dst/file", nil),
        ] as [(String, String?, String?)])
    func refusesOutside(name: String, link: String?, refusal: String?) throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive([
                .init(name: "out", content: [1]), .init(name: "dst", type: "5", mode: 0o755), .init(name: "dst/file"),
            ]))
        var options = TreeArchive.UnpackOptions()
        options.refusesOutside = true
        let member = TarBytes.Member(name: name, type: link == nil ? "0" : "1", link: link ?? "")
        var refused: String?
        do throws(ShaleError) {
            _ = try TreeArchive.unpack(
                BytesSource(TarBytes.archive([member])), into: stack.roots[0], at: "/dst", subject: "archive",
                options: options)
        } catch {
            refused = error.description
        }
        #expect(refused == refusal.map { "archive: \($0)" })
        #expect(try stack.tree.entry("/evil", followingLinks: false) == nil)
        #expect((try stack.tree.entry("/dst/evil", followingLinks: false) != nil) == (name == "/evil"))
    }

    @Test("types are kept when asked", arguments: [("dir", "0"), ("file", "5")] as [(String, Character)])
    func keepsTypes(name: String, type: Character) throws {
        var stack = LayerStack()
        try stack.push(TarBytes.archive([.init(name: "dir", type: "5", mode: 0o755), .init(name: "file")]))
        let archive = TarBytes.archive([.init(name: name, type: type, mode: 0o755)])
        #expect(throws: ShaleError.self) {
            try TreeArchive.unpack(
                BytesSource(archive), into: stack.roots[0], subject: "test", options: .init(keepsTypes: true))
        }
        _ = try TreeArchive.unpack(BytesSource(archive), into: stack.roots[0], subject: "test")
    }

    @Test("a file in the way of a parent is an error, and nothing is written through it")
    func fileInTheWay() throws {
        var stack = LayerStack()
        try stack.push(TarBytes.archive([.init(name: "file", content: [1])]))
        #expect(throws: ShaleError.self) {
            try TreeArchive.unpack(
                BytesSource(TarBytes.archive([.init(name: "file/x")])), into: stack.roots[0], subject: "test")
        }
        #expect(try stack.tree.contents(of: "/file") == [1])
    }
}
