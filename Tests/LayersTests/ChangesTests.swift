import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("changes of an upper directory")
struct ChangesTests {
    /// What is done to a small tree, and docker's lines for it.
    private static let cases: [(name: String, script: String, lines: [String])] = [
        ("nothing", "cat etc/passwd >/dev/null", []),
        ("a file added", "echo x > etc/new", ["C /etc", "A /etc/new"]),
        ("a file changed", "echo y >> etc/passwd", ["C /etc", "C /etc/passwd"]),
        ("a file deleted", "rm etc/passwd", ["C /etc", "D /etc/passwd"]),
        ("a directory deleted", "rm -r usr", ["D /usr"]),
        (
            "a directory emptied and filled anew", "rm -r usr/share && mkdir usr/share && echo n > usr/share/n",
            ["C /usr", "C /usr/share", "D /usr/share/doc", "D /usr/share/same", "A /usr/share/n"]
        ),
        (
            "a directory made anew as it was",
            "cp -a usr/share /tmp/\\$\\$.share && rm -r usr/share && cp -a /tmp/\\$\\$.share usr/share && rm -r /tmp/\\$\\$.share",
            []
        ),
        ("a touched file", "touch etc/passwd", ["C /etc", "C /etc/passwd"]),
        ("a mode taken back", "chmod 600 etc/passwd && chmod 644 etc/passwd", []),
        ("a mode changed", "chmod 600 etc/passwd", ["C /etc", "C /etc/passwd"]),
        ("a directory's mode", "chmod 700 etc", ["C /etc"]),
        ("the root's mode is nobody's", "chmod 711 .", []),
        (
            "contents changed with size and time kept",
            "cp -p etc/passwd /tmp/\\$\\$.p && printf 'Root' | dd of=etc/passwd conv=notrunc status=none && touch -r /tmp/\\$\\$.p etc/passwd && rm /tmp/\\$\\$.p",
            ["C /etc", "C /etc/passwd"]
        ),
        ("a rename", "mv etc/passwd etc/shadow", ["C /etc", "D /etc/passwd", "A /etc/shadow"]),
        (
            "a directory renamed", "mv usr/share usr/other",
            ["C /usr", "D /usr/share", "A /usr/other", "A /usr/other/doc", "A /usr/other/doc/a", "A /usr/other/same"]
        ),
        (
            "a file becomes a directory", "rm etc/passwd && mkdir etc/passwd && echo x > etc/passwd/x",
            ["C /etc", "C /etc/passwd", "A /etc/passwd/x"]
        ),
        ("a directory becomes a file", "rm -r usr && echo x > usr", ["C /usr"]),
        ("a link's target", "ln -sfn etc/hosts link", ["C /link"]),
        ("a new name for an old file", "ln etc/passwd etc/again", ["C /etc", "A /etc/again", "C /etc/passwd"]),
        ("two names for a new file", "echo x > one && ln one two", ["A /one", "A /two"]),
        (
            "a name that is no UTF-8, and two that look alike",
            "touch \"$(printf 'b\\351')\" \"$(printf 'caf\\303\\251')\" \"$(printf 'cafe\\314\\201')\"",
            ["A /b\u{10FFE9}", "A /cafe\u{301}", "A /caf\u{E9}"]
        ),
        ("an empty directory", "mkdir -p a/b", ["A /a", "A /a/b"]),
        ("a fifo", "mkfifo etc/pipe", ["C /etc", "A /etc/pipe"]),
        (
            "deleted and made again as it was",
            "cp -a etc/passwd /tmp/\\$\\$.q && rm etc/passwd && cp -a /tmp/\\$\\$.q etc/passwd && rm /tmp/\\$\\$.q", []
        ),
    ]

    private static let base = TarBytes.archive([
        .init(name: "etc", type: "5", mode: 0o755), .init(name: "etc/passwd", content: Array("root:x:0:0\n".utf8)),
        .init(name: "etc/hosts"), .init(name: "usr", type: "5", mode: 0o755),
        .init(name: "usr/share", type: "5", mode: 0o755), .init(name: "link", type: "2", link: "etc"),
    ])
    private static let second = TarBytes.archive([
        .init(name: "usr", type: "5", mode: 0o755), .init(name: "usr/share", type: "5", mode: 0o755),
        .init(name: "usr/share/doc", type: "5", mode: 0o755), .init(name: "usr/share/doc/a", content: [1]),
        .init(name: "usr/share/same", content: [2]),
    ])

    @Test(
        "are docker's lines, and what commit stores is exactly them",
        .enabled(if: OverlayMount.isPossible, "this process may not mount an overlay"), arguments: cases.indices)
    func lines(index: Int) throws {
        let (name, script, lines) = Self.cases[index]
        var stack = LayerStack()
        try stack.push(Self.base)
        try stack.push(Self.second)
        let mount = try OverlayMount(lowers: [stack.outside + "/layer1", stack.outside + "/layer0"])
        try mount.run(script.replacing("\\$\\$", with: "\(getpid())-\(index)"))
        let merged = MergedTree(layers: [try RootDirectory(hostPath: mount.merged)])
        let upper = try RootDirectory(hostPath: mount.upperPath)
        let view = MergedTree(layers: [upper] + stack.roots)
        // With `userxattr` the kernel gives the names of a copied-up file inode numbers of their own.
        let isNumberedApart = OverlayForm.current == .user && script.hasPrefix("ln etc/passwd")
        if !isNumberedApart {
            #expect(try FileTreeComparison(view, merged).differences().isEmpty, "\(name): not the kernel's view")
        }

        let finder = ChangeFinder(upper: upper, lowers: stack.roots, form: .current)
        let changes = try finder.changes()
        #expect(changes.map(\.line).sorted() == lines.sorted(), "\(name)")
        #expect(changes.map(\.path) == changes.map(\.path).sorted { PathOrder.precedes($0, $1) })

        let archive = TemporaryDirectory()
        _ = try TreeArchive.pack(merged) { _ throws(ShaleError) in }
        let (layer, bytes) = try write(changes, upper)
        #expect(layer.diffID == Digest.of(bytes))
        #expect(try write(changes, upper).1 == bytes, "\(name): the same bytes twice")

        // The kernel's tree must be what the stored layer makes of the layers below, unpacked or settled.
        let kernel = try snapshot(merged, at: archive.path + "/kernel")
        mount.unmount()
        var again = stack
        let unpacked = try again.push(bytes)
        // By docker's rule a directory's time alone, and whatever the root's metadata are, is no change.
        func counts(_ difference: FileTreeComparison.Difference) -> Bool {
            difference.path != "/" && !(difference.reasons == [.mtime] && changes.isEmpty)
                && !(difference.reasons == [.link] && isNumberedApart)
        }
        let expectation = try FileTreeComparison(again.tree, kernel).differences().filter(counts)
        #expect(expectation.isEmpty, "\(name): \(expectation)")
        #expect(unpacked.index.entries.map(\.path) == layer.index.entries.map(\.path))
        #expect(unpacked.index.entries.map(\.contentHash) == layer.index.entries.map(\.contentHash))

        try OverlayUpper.finalize(upper, changes: changes, form: .current)
        let settled = try FileTreeComparison(again.onlyTop, MergedTree(layers: [upper])).differences().filter(counts)
        #expect(settled.isEmpty, "\(name): \(settled)")
        #expect(try onDisk(upper) == onDisk(again.roots[0]), "\(name): the same files on disk")
    }

    private func write(_ changes: [Change], _ upper: RootDirectory) throws -> (WrittenLayer, [UInt8]) {
        var bytes: [UInt8] = []
        let layer = try LayerWriter.write(changes: changes, upper: upper) { chunk throws(ShaleError) in
            bytes.append(contentsOf: chunk)
        }
        return (layer, bytes)
    }

    /// A copy of a tree, to keep when its mount goes.
    private func snapshot(_ tree: MergedTree, at path: String) throws -> MergedTree {
        var bytes: [UInt8] = []
        _ = try TreeArchive.pack(tree) { chunk throws(ShaleError) in bytes.append(contentsOf: chunk) }
        mkdir(path, 0o755)
        let root = try RootDirectory(hostPath: path)
        _ = try TreeArchive.unpack(BytesSource(bytes), into: root, subject: "copy")
        return MergedTree(layers: [root])
    }

    /// Everything on disk, whiteouts and opaque marks included.
    private func onDisk(_ root: RootDirectory) throws -> [String] {
        try Peer("find").run(["/proc/self/fd/0/", "-mindepth", "1", "-printf", "%P %y %m %U %G %l\\n"], at: root)
            .sorted()
    }

    @Test("mount points nobody touched are left out")
    func stubs() throws {
        var stack = LayerStack()
        try stack.push(Self.base)
        let upper = try stack.makeDirectory()
        for path in ["etc", "data/deep", "dev", "srv"] { try upper.makeDirectories(path) }
        for (path, bytes) in [("etc/resolv.conf", ""), (".dockerenv", ""), ("srv/x", "used")] {
            _ = try upper.open(path, O_CREAT | O_WRONLY, mode: 0o644).write(Array(bytes.utf8))
        }
        let stubs: Set = ["/etc/resolv.conf", "/.dockerenv", "/data", "/data/deep", "/dev", "/srv"]
        let finder = ChangeFinder(upper: upper, lowers: stack.roots, form: .current, ignoring: stubs)
        #expect(try finder.changes().map(\.line) == ["A /srv", "A /srv/x"])
        let all = ChangeFinder(upper: upper, lowers: stack.roots, form: .current)
        #expect(try all.changes().count == 8)
    }

    @Test("the reasons are told apart")
    func reasons() throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive("abcdefg".map { .init(name: String($0), content: Array("123".utf8), mode: 0o644) }))
        var upper = LayerStack()
        try upper.push(
            TarBytes.archive([
                .init(name: "a", content: Array("124".utf8)), .init(name: "b", content: Array("1234".utf8)),
                .init(name: "c", content: Array("123".utf8), mode: 0o600),
                .init(name: "d", content: Array("123".utf8), mtime: 999), .init(name: "e", type: "2", link: "a"),
                .init(name: "f", content: Array("123".utf8), pax: [("SCHILY.xattr.user.k", [1])]),
                .init(name: "g", content: Array("123".utf8)),
            ]))
        let changes = try ChangeFinder(upper: upper.roots[0], lowers: stack.roots, form: .current).changes()
        let found = Dictionary(uniqueKeysWithValues: changes.map { ($0.path, $0.reasons) })
        #expect(found["/a"] == [.content])
        #expect(found["/b"] == [.content, .size])
        #expect(found["/c"] == [.mode])
        #expect(found["/d"] == [.mtime])
        #expect(found["/e"]?.contains(.type) == true)
        #expect(found["/f"] == [.xattr])
        #expect(found["/g"] == nil)
    }

    /// docker gives a file its owner again at each of its names, which takes its capability away.
    @Test("attributes stand at every name of a file")
    func attributesOfLinks() throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive([
                .init(name: "f", content: Array("x".utf8), pax: [("SCHILY.xattr.user.k", [1])]),
                .init(name: "g", type: "1", link: "f"),
            ]))
        let changes = try ChangeFinder(upper: stack.roots[0], lowers: [], form: .current).changes()
        let (layer, bytes) = try write(changes, stack.roots[0])
        let archives = [bytes, try packed(MergedTree(layers: stack.roots))]
        for archive in archives {
            let text = String(decoding: archive, as: UTF8.self)
            #expect(text.split(separator: "SCHILY.xattr.user.k", omittingEmptySubsequences: false).count == 3)
        }
        #expect(layer.index.entries.map(\.attributes.count) == [1, 0])
    }

    private func packed(_ tree: MergedTree) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try TreeArchive.pack(tree) { chunk throws(ShaleError) in bytes.append(contentsOf: chunk) }
        return bytes
    }

    @Test("times are clamped, and a name that would be a whiteout is refused")
    func writing() throws {
        var stack = LayerStack()
        try stack.push(TarBytes.archive([.init(name: "x", mtime: 2000), .init(name: "y", mtime: 10)]))
        let changes = try ChangeFinder(upper: stack.roots[0], lowers: [], form: .current).changes()
        let layer = try LayerWriter.write(
            changes: changes, upper: stack.roots[0], clampingTo: Timestamp(seconds: 1000)
        ) { _ throws(ShaleError) in }
        #expect(layer.index.entries.map(\.modified.seconds) == [1000, 10])
        try OverlayUpper.finalize(
            stack.roots[0], changes: changes, form: .current, clampingTo: Timestamp(seconds: 1000))
        #expect(try stack.roots[0].status("x").modified.seconds == 1000)
        _ = try stack.roots[0].open(".wh.trap", O_CREAT | O_WRONLY, mode: 0o644)
        let trap = try ChangeFinder(upper: stack.roots[0], lowers: [], form: .current).changes()
        #expect(throws: ShaleError.self) {
            try LayerWriter.write(changes: trap, upper: stack.roots[0]) { _ throws(ShaleError) in }
        }
    }

    @Test(
        "the corpus's entry lists come out", .enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)),
        .enabled(if: OverlayMount.isPossible, "an overlay cannot be mounted here"))
    func corpus() throws {
        let rows = try Corpus.rows("layer-cases/diff-to-tar.json")
        var passed = 0
        for row in rows {
            let before = TemporaryDirectory()
            try apply(row["before"], in: before.path)
            let mount = try OverlayMount(lowers: [before.path])
            try apply(row["change"], in: mount.merged)
            let upper = try RootDirectory(hostPath: mount.upperPath)
            let changes = try ChangeFinder(
                upper: upper, lowers: [RootDirectory(hostPath: before.path)], form: .current
            ).changes()
            let (_, bytes) = try write(changes, upper)
            let reader = try ArchiveReader(BytesSource(bytes), subject: "test")
            var found: [String] = []
            while let entry = try reader.next() {
                let isWhiteout = entry.pathText.contains(".wh.")
                found.append(
                    "\(entry.kind) \(entry.pathText)\(isWhiteout ? "" : " " + String(entry.mode, radix: 8))"
                        + (entry.kind == .file ? String(decoding: try reader.contents(limit: 99), as: UTF8.self) : ""))
            }
            let expected = (row["entries"]?.array ?? []).map { entry in
                let kind = entry["type"]?.string == "dir" ? "directory" : "file"
                let mode =
                    entry["mode"]?.string.flatMap { UInt32($0, radix: 8) }.map { " " + String($0, radix: 8) } ?? ""
                let isPlain = !(entry["name"]?.string ?? "").contains(".wh.")
                let bits = isPlain && mode.isEmpty ? " 644" : mode
                return "\(kind) \(entry["name"]?.string ?? "")\(isPlain ? bits : "")\(entry["content"]?.string ?? "")"
            }
            #expect(found == expected, "\(row["id"]?.string ?? "")")
            if found == expected { passed += 1 }
        }
        Corpus.score("layer-cases/diff-to-tar", passed, of: rows.count)
    }

    private func apply(_ operations: JSONValue?, in folder: String) throws {
        for operation in operations?.array ?? [] {
            let path = folder + (operation["path"]?.string ?? "")
            let mode = operation["mode"]?.string ?? "0644"
            let script =
                switch operation["op"]?.string {
                case "mkdir": "mkdir \"$0\" && chmod \(mode) \"$0\""
                case "write": "printf %s \"$1\" > \"$0\" && chmod \(mode) \"$0\""
                case "chmod": "chmod \(mode) \"$0\""
                case "remove": "rm -r \"$0\""
                default: "python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \"$0\""
                }
            try Peer("sh").run(["-ec", script, path, operation["content"]?.string ?? ""])
        }
    }
}

extension LayerStack {
    /// The topmost layer alone.
    var onlyTop: MergedTree { MergedTree(layers: Array(roots.prefix(1))) }
}

extension Peer {
    /// Runs with a directory as standard input, and answers the lines.
    fileprivate func run(_ arguments: [String], at root: RootDirectory) throws -> [String] {
        let path = "/proc/\(getpid())/fd/\(root.descriptor.raw)/"
        let replaced = arguments.map { $0 == "/proc/self/fd/0/" ? path : $0 }
        return try run(replaced).text.split(separator: "\n").map(String.init)
    }
}
