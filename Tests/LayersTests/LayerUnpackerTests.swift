import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("unpacking a layer")
struct LayerUnpackerTests {
    private typealias Member = TarBytes.Member

    @Test("what the same layer has survives its own whiteouts, lower things do not")
    func whiteouts() throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive([
                Member(name: "d", type: "5", mode: 0o755), Member(name: "d/low"), Member(name: "file"),
                Member(name: "gone"),
            ]))
        let layer = try stack.push(
            TarBytes.archive([
                Member(name: "d", type: "5", mode: 0o755), Member(name: "d/new"), Member(name: ".wh.d"),
                Member(name: "file", content: [1]), Member(name: ".wh.file"), Member(name: ".wh.gone"),
                Member(name: ".wh..wh.aufs"), Member(name: ".wh..wh.plnk/12"),
            ]))
        var paths: [String] = []
        try stack.tree.walk("/") { paths.append($0.path) }
        #expect(paths == ["/", "/d", "/d/new", "/file"])
        #expect(layer.index["/d"]?.isOpaque == true)
        #expect(layer.index["/gone"]?.kind == .whiteout)
        #expect(layer.index.entries.map(\.path) == ["/d", "/d/new", "/file", "/gone"])
    }

    @Test("a whiteout inside an opaque directory leaves nothing on disk")
    func needlessWhiteouts() throws {
        var stack = LayerStack()
        let layer = try stack.push(
            TarBytes.archive([
                Member(name: "d", type: "5", mode: 0o755), Member(name: "d/.wh.x"), Member(name: "d/e/.wh.y"),
                Member(name: "d/.wh..wh..opq"),
            ]))
        #expect(try stack.roots[0].names(in: "d") == ["e"])
        #expect(try stack.roots[0].names(in: "d/e").isEmpty)
        #expect(layer.index.entries.map(\.path) == ["/d", "/d/e"])
    }

    @Test("later members replace earlier ones of any type, and the index knows")
    func replacing() throws {
        var stack = LayerStack()
        let layer = try stack.push(
            TarBytes.archive([
                Member(name: "a", type: "5", mode: 0o755), Member(name: "a/b", type: "5", mode: 0o755),
                Member(name: "a/b/c", content: [1]), Member(name: "keep", type: "1", link: "a/b/c"),
                Member(name: "also", type: "1", link: "keep"),
                Member(name: "a", content: [2, 2]), Member(name: "s", type: "2", link: "keep"),
                Member(name: "s", type: "5", mode: 0o711), Member(name: "s/t"),
            ]))
        #expect(layer.index.entries.map(\.path) == ["/a", "/also", "/keep", "/s", "/s/t"])
        #expect(layer.index["/a"]?.size == 2)
        // The file's first name is gone; its next one has taken its place.
        #expect(Set([layer.index["/also"]?.kind, layer.index["/keep"]?.kind]) == [.file, .hardLink])
        #expect(layer.index["/keep"]?.digest == nil || layer.index["/keep"]?.digest == Digest.of([1]))
        #expect(try stack.tree.contents(of: "/also") == [1])
        #expect(layer.index["/s"]?.isOpaque == true)
        #expect(layer.contentBytes == 3)
    }

    @Test("owner, set-id bits, times and attributes are as the archive says")
    func metadata() throws {
        var stack = LayerStack()
        let layer = try stack.push(
            TarBytes.archive([
                Member(name: "d", type: "5", mode: 0o2700, mtime: 77),
                Member(
                    name: "d/f", content: [1], mode: 0o6755, mtime: 78,
                    pax: [
                        ("SCHILY.xattr.user.x", [0, 255]), ("SCHILY.xattr.trusted.overlay.opaque", [0x79]),
                        ("SCHILY.xattr.user.overlay.opaque", [0x79]),
                    ]),
                Member(name: "d/l", type: "2", link: "/nowhere", mtime: 79),
                Member(name: "d/p", type: "6", mode: 0o640, mtime: 80),
            ]))
        let tree = stack.tree
        func status(_ path: String) throws -> FileStatus? { try tree.entry(path, followingLinks: false)?.status }
        #expect(try status("/d")?.permissions == 0o2700)
        #expect(try status("/d")?.modified == Timestamp(seconds: 77))
        #expect(try status("/d/f")?.permissions == 0o6755)
        #expect(try status("/d/f")?.modified == Timestamp(seconds: 78))
        #expect(try status("/d/l")?.modified == Timestamp(seconds: 79))
        #expect(try status("/d/p")?.permissions == 0o640)
        #expect(layer.index["/d/f"]?.attributes == [ExtendedAttribute(name: "user.x", value: [0, 255])])
        let here = try stack.roots[0].directory("d")
        #expect(try ExtendedAttributes.names(of: "f", in: here) == ["user.x"])
        #expect(try ExtendedAttributes.value("user.x", of: "f", in: here) == [0, 255])
    }

    @Test("owners are given where they can be, and known where they cannot")
    func owners() throws {
        var stack = LayerStack()
        let layer = try stack.push(TarBytes.archive([Member(name: "x", uid: 1234, gid: 5678)]))
        #expect(layer.index["/x"]?.uid == 1234)
        let status = try stack.tree.entry("/x", followingLinks: false)?.status
        #expect(status?.uid == 1234 && status?.gid == 5678 || layer.refusals == 1)
    }

    @Test("devices are made, or stood in for in a user namespace")
    func devices() throws {
        var stack = LayerStack()
        let layer = try stack.push(
            TarBytes.archive([Member(name: "null", type: "3", mode: 0o666, major: 1, minor: 3)]))
        let entry = try #require(layer.index["/null"])
        #expect(entry.kind == .characterDevice && entry.deviceMajor == 1 && entry.deviceMinor == 3)
        let status = try #require(try stack.tree.entry("/null", followingLinks: false)?.status)
        #expect(entry.isPlaceholder ? status.kind == .regular : status.rdevMinor == 3)
        #expect(status.permissions == 0o666)
    }

    @Test("a hard link to a lower file copies it up with its directories")
    func lowerLink() throws {
        var stack = LayerStack()
        try stack.push(
            TarBytes.archive([
                Member(name: "etc", type: "5", mode: 0o751, mtime: 55),
                Member(name: "etc/f", content: [9], mode: 0o600),
            ]))
        let layer = try stack.push(TarBytes.archive([Member(name: "g", type: "1", link: "/etc/f")]))
        #expect(layer.dependsOnLower)
        #expect(layer.index["/etc/f"]?.isCopiedUp == true)
        let tree = stack.tree
        let names = try ["/g", "/etc/f"].map { try tree.entry($0, followingLinks: false)?.status.inode }
        #expect(names[0] == names[1])
        #expect(try tree.contents(of: "/g") == [9])
        #expect(try tree.entry("/etc", followingLinks: false)?.status.permissions == 0o751)
        #expect(try tree.entry("/etc", followingLinks: false)?.status.modified.seconds == 55)
    }

    /// Layers that must fail with nothing made outside, each with a piece of the reason.
    private static let refused: [(String, [TarBytes.Member], String)] = [
        ("link to nothing", [.init(name: "x", type: "1", link: "nowhere")], "no such file"),
        ("link to a whiteout", [.init(name: ".wh.w"), .init(name: "x", type: "1", link: "w")], "no such file"),
        ("link to the root", [.init(name: "x", type: "1", link: "/")], "root"),
        (
            "root as a file",
            [.init(name: "./") /* directory by its slash */, .init(name: ".", type: "2", link: "/")],
            "root must stay"
        ),
        ("link loop on the way", [.init(name: "a", type: "2", link: "a"), .init(name: "a/b")], "too many"),
        ("owner of no one", [.init(name: "x", pax: [("uid", Array("4294967295".utf8))])], "invalid owner"),
        ("whiteout of the parent", [.init(name: "d/.wh...")], "invalid whiteout"),
        ("link without a target", [.init(name: "x", type: "2")], "without a target"),
        ("name too long", [.init(name: String(repeating: "n", count: 300))], "too long"),
    ]

    @Test("hostile members are refused", arguments: refused.indices)
    func refusals(index: Int) throws {
        let (name, members, reason) = Self.refused[index]
        var stack = LayerStack()
        do {
            try stack.push(TarBytes.archive(members))
            Issue.record("\(name): no error")
        } catch let error as ShaleError {
            #expect(error.description.contains(reason), "\(name): \(error)")
            #expect(error.description.hasPrefix("layer test"), "\(error)")
        }
    }

    @Test("a name that looks like an escaped .. is only a name", arguments: ["0", "5", "2", "6"] as [Character])
    func escapedDots(type: Character) throws {
        var stack = LayerStack()
        let name = String(pathBytes: [0xF4, 0x8F, 0xBC, 0xAE, 0xF4, 0x8F, 0xBC, 0xAE])
        try stack.push(
            TarBytes.archive([Member(name: "d/x"), Member(name: "d/" + name, type: type, link: "x", mode: 0o755)]))
        #expect(try stack.roots[0].names(in: "d").map(\.pathBytes) == [Array("x".utf8), name.pathBytes])
        #expect(try RootDirectory(hostPath: stack.outside).names(in: "/") == ["layer0"])
    }

    @Test("a directory below two thousand others can be made and removed")
    func deep() throws {
        var stack = LayerStack()
        let path = String(repeating: "d/", count: 2000) + "f"
        try stack.push(TarBytes.archive([Member(name: path, content: [1])]))
        #expect(try stack.tree.contents(of: "/" + path) == [1])
        try TreeRemoval.remove("d", in: stack.roots[0].descriptor)
        #expect(try stack.roots[0].names(in: "/").isEmpty)
    }

    // MARK: Streams

    private static func packed(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
        switch compression {
        case .none: bytes
        case .gzip: try Peer("gzip").run(["-c"], input: bytes).output
        case .bzip2: try Peer("bzip2").run(["-c"], input: bytes).output
        case .xz: try Peer("xz").run(["-c"], input: bytes).output
        case .zstd: try Peer("zstd").run(["-c"], input: bytes).output
        }
    }

    private static let archive = TarBytes.archive([
        .init(name: "a", content: [UInt8]((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })),
        .init(name: "b"),
    ])

    @Test("every compression gives the same diff ID", arguments: [Compression.none, .gzip, .bzip2, .xz, .zstd])
    func compressions(compression: Compression) throws {
        var stack = LayerStack()
        let packed = try Self.packed(Self.archive, compression)
        #expect(Compression.detect(packed) == compression)
        let layer = try stack.push(packed)
        #expect(layer.diffID == Digest.of(Self.archive))
        #expect(layer.size == Int64(Self.archive.count))
        #expect(layer.compression == compression)
    }

    @Test("packing twice gives the same bytes", arguments: [Compression.gzip, .zstd])
    func packingTwice(compression: Compression) throws {
        #expect(try Self.packed(Self.archive, compression) == Self.packed(Self.archive, compression))
    }

    @Test("what follows the archive's end counts for the diff ID")
    func trailing() throws {
        var stack = LayerStack()
        let longer = Self.archive + [UInt8](repeating: 7, count: 700_000)
        #expect(try stack.push(longer).diffID == Digest.of(longer))
        let twoMembers = try Self.packed(Array(longer[..<1000]), .gzip) + Self.packed(Array(longer[1000...]), .gzip)
        #expect(try stack.push(twoMembers).diffID == Digest.of(longer))
    }

    @Test("cut or damaged compressed bytes are one clear error", arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func damaged(compression: Compression) throws {
        let packed = try Self.packed(Self.archive, compression)
        var flipped = packed
        for at in stride(from: packed.count / 3, to: packed.count / 3 + 40, by: 1) { flipped[at] ^= 0x55 }
        var stack = LayerStack()
        do {
            try stack.push(Array(packed[..<(packed.count / 2)]))
            Issue.record("no error")
        } catch let error as ShaleError {
            #expect(error.code == .corrupt, "\(error)")
        }
        // A packer need not add a checksum of its own; the diff ID is one.
        var other = LayerStack()
        if let layer = try? other.push(flipped) { #expect(layer.diffID != Digest.of(Self.archive)) }
    }

    @Test("a bomb is refused by its ratio, and by its size")
    func bombs() throws {
        let bomb = try Self.packed(
            TarBytes.archive([.init(name: "z", content: [UInt8](repeating: 0, count: 8 << 20))]), .zstd)
        var limits = UnpackLimits.standard
        limits.ratioFreeBytes = 1 << 20
        var stack = LayerStack()
        #expect(throws: ShaleError.self) { try stack.push(bomb, limits: limits) }
        limits = .standard
        limits.totalBytes = 4 << 20
        var other = LayerStack()
        #expect(throws: ShaleError.self) { try other.push(bomb, limits: limits) }
        var fine = LayerStack()
        try fine.push(bomb)
    }

    @Test("a source that fails, and a cancelled unpacking, end with their own error")
    func failing() throws {
        var stack = LayerStack()
        let root = try stack.makeDirectory()
        let failing = ClosureSource { _ throws(ShaleError) in throw ShaleError(.timeout, "the network is gone") }
        do {
            _ = try LayerUnpacker(into: root, form: .current)
                .unpack(failing, subject: "layer test", cancellation: Cancellation())
            Issue.record("no error")
        } catch {
            #expect(error.code == .timeout)
        }
        let cancellation = Cancellation()
        cancellation.cancel()
        do {
            _ = try LayerUnpacker(into: root, form: .current)
                .unpack(BytesSource(Self.archive), subject: "layer test", cancellation: cancellation)
            Issue.record("no error")
        } catch {
            #expect(error.code == .cancelled)
        }
    }

    @Test("large archives pass through the ring again and again", arguments: [1, 8])
    func large(megabytes: Int) throws {
        let content = [UInt8](repeating: 0xA5, count: megabytes << 20)
        let archive = TarBytes.archive((0..<4).map { .init(name: "f\($0)", content: content) })
        for compression in [Compression.none, .zstd] {
            var stack = LayerStack()
            #expect(try stack.push(Self.packed(archive, compression)).diffID == Digest.of(archive))
        }
    }
}
