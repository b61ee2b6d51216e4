import Basics
import Glibc
import Layers
import Linux
import TestSupport
import Testing

@Suite("a merged tree")
struct MergedTreeTests {
    private static let layers: [[UInt8]] = [
        TarBytes.archive([
            .init(name: "etc", type: "5", mode: 0o755), .init(name: "etc/passwd", content: Array("low".utf8)),
            .init(name: "etc/old", content: [1]), .init(name: "var", type: "5"),
            .init(name: "var/run", type: "2", link: "/run"),
            .init(name: "var/lib", type: "5", mode: 0o755), .init(name: "var/lib/low"),
            .init(name: "run", type: "5", mode: 0o755),
            .init(name: "run/pid", content: [7]), .init(name: "over", type: "5", mode: 0o755), .init(name: "over/x"),
            .init(name: "up", type: "2", link: "../../../etc/passwd"), .init(name: "loop", type: "2", link: "loop2"),
            .init(name: "loop2", type: "2", link: "/loop"), .init(name: "file"),
        ]),
        TarBytes.archive([
            .init(name: "etc", type: "5", mode: 0o711), .init(name: "etc/passwd", content: Array("mid".utf8)),
            .init(name: "etc/.wh.old"), .init(name: "over", content: [2]), .init(name: "file", type: "5", mode: 0o755),
            .init(name: "file/in"),
        ]),
        TarBytes.archive([
            .init(name: "var", type: "5", mode: 0o755), .init(name: "var/lib", type: "5", mode: 0o755),
            .init(name: "var/lib/.wh..wh..opq"), .init(name: "var/lib/new"),
            .init(name: "over", type: "5", mode: 0o700),
            .init(name: "over/y"),
        ]),
    ]

    private func stack() throws -> LayerStack {
        var stack = LayerStack()
        for layer in Self.layers { try stack.push(layer) }
        return stack
    }

    @Test(
        "is what the kernel's overlay shows",
        .enabled(if: OverlayMount.isPossible, "this process may not mount an overlay"))
    func kernel() throws {
        let stack = try stack()
        let mount = try OverlayMount(lowers: [2, 1, 0].map { "\(stack.outside)/layer\($0)" })
        let kernel = MergedTree(layers: [try RootDirectory(hostPath: mount.merged)])
        let differences = try FileTreeComparison(stack.tree, kernel).differences().filter { $0.path != "/" }
        #expect(differences.isEmpty, "\(differences)")
        var (ours, theirs) = ([String](), [String]())
        try stack.tree.walk("/") { ours.append($0.path) }
        try kernel.walk("/") { theirs.append($0.path) }
        #expect(ours == theirs)
    }

    @Test(
        "follows links inside, and only so often",
        arguments: [
            ("/etc/passwd", "mid"), ("etc//./passwd", "mid"), ("/up", "mid"), ("/var/run/../up", "mid"),
            ("/var/run/pid", "\u{7}"), ("/../../etc/passwd", "mid"), ("/over/../over/y", ""),
        ])
    func links(path: String, contents: String) throws {
        let stack = try stack()
        #expect(try stack.tree.contents(of: path) == Array(contents.utf8))
    }

    @Test(
        "what is not there is nil",
        arguments: ["/etc/old", "/over/x", "/var/lib/low", "/etc/passwd/x", "/no/such", "/file/no"])
    func missing(path: String) throws {
        let stack = try stack()
        #expect(try stack.tree.entry(path, followingLinks: true) == nil)
        #expect(try stack.tree.contents(of: path) == nil)
    }

    @Test("loops and directories are errors, not endless")
    func errors() throws {
        let stack = try stack()
        let tree = stack.tree
        #expect(throws: ShaleError.self) { try tree.entry("/loop", followingLinks: true) }
        #expect(try tree.entry("/loop", followingLinks: false)?.link == "loop2")
        #expect(throws: ShaleError.self) { try tree.contents(of: "/etc") }
        #expect(throws: ShaleError.self) { _ = try tree.open("/nowhere") }
        #expect(try tree.readLink("/var/run") == "/run")
        #expect(try tree.readLink("/etc") == nil)
    }

    @Test("knows which layer decides")
    func layers() throws {
        let stack = try stack()
        let tree = stack.tree
        #expect(try tree.entry("/etc/passwd", followingLinks: false)?.layer == 1)
        #expect(try tree.entry("/run/pid", followingLinks: false)?.layer == 2)
        #expect(try tree.entry("/var/lib/new", followingLinks: false)?.layer == 0)
        #expect(try tree.children(of: "/over").map(\.name) == ["y"])
        #expect(try tree.children(of: "/var").map(\.name) == ["lib", "run"])
    }

    @Test("an opaque root hides all layers below")
    func opaqueRoot() throws {
        var stack = try stack()
        let layer = try stack.push(TarBytes.archive([.init(name: ".wh..wh..opq"), .init(name: "alone")]))
        #expect(layer.index.isRootOpaque)
        #expect(stack.tree.visibleLayers == 1)
        #expect(try stack.tree.children(of: "/").map(\.name) == ["alone"])
    }
}

@Suite("comparing trees")
struct FileTreeComparisonTests {
    @Test("finds each kind of difference")
    func kinds() throws {
        var (left, right) = (LayerStack(), LayerStack())
        try left.push(
            TarBytes.archive([
                .init(name: "same", content: [1]), .init(name: "d", type: "5", mode: 0o755, mtime: 1),
                .init(name: "d/only"),
                .init(name: "c", content: [1]), .init(name: "h"), .init(name: "i", type: "1", link: "h"),
                .init(name: "l", type: "2", link: "a"), .init(name: "m", mode: 0o600), .init(name: "t"),
            ]))
        try right.push(
            TarBytes.archive([
                .init(name: "same", content: [1]), .init(name: "d", type: "5", mode: 0o755, mtime: 2),
                .init(name: "c", content: [2]),
                .init(name: "h"), .init(name: "i"), .init(name: "l", type: "2", link: "b"), .init(name: "m"),
                .init(name: "new", type: "5"), .init(name: "new/x"), .init(name: "t", type: "6"),
            ]))
        let found = try FileTreeComparison(left.tree, right.tree).differences()
        #expect(
            found == [
                .init(path: "/c", kind: .differs, reasons: [.content]),
                .init(path: "/d", kind: .differs, reasons: [.mtime]),
                .init(path: "/d/only", kind: .onlyLeft), .init(path: "/i", kind: .differs, reasons: [.link]),
                .init(path: "/l", kind: .differs, reasons: [.link]),
                .init(path: "/m", kind: .differs, reasons: [.mode]),
                .init(path: "/new", kind: .onlyRight), .init(path: "/t", kind: .differs, reasons: [.type]),
            ])
        #expect(try FileTreeComparison(left.tree, left.tree).differences().isEmpty)
    }
}
