import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("tar formats")
struct TarReaderTests {
    private func entries(_ bytes: [UInt8], limits: UnpackLimits = .standard) throws -> [(TarEntry, [UInt8])] {
        let reader = try ArchiveReader(BytesSource(bytes), subject: "archive test", limits: limits)
        var all: [(TarEntry, [UInt8])] = []
        while let entry = try reader.next() { all.append((entry, try reader.contents(limit: 1 << 20))) }
        return all
    }

    @Test(
        "what GNU tar writes, in every format it has",
        .enabled(if: Peers.tar.isPresent, "tar is not installed"),
        arguments: ["v7", "oldgnu", "gnu", "ustar", "pax", "posix"])
    func gnuTar(format: String) throws {
        let folder = TemporaryDirectory()
        let isShort = format == "v7" || format == "ustar"
        let long = isShort ? "d/short" : "d/" + String(repeating: "n", count: 150)
        let script = """
            cd "$0" && mkdir d && printf hello > d/file && printf x > "$1" && ln -s file d/link && ln d/file d/other \
            && printf y > "$(printf 'd/caf\\303\\251')" \
            && printf z > "$(printf 'd/cafe\\314\\201')" && printf b > "$(printf 'd/bad\\351')" \
            && chmod 2755 d && touch -d @1234567890 d/file && tar --format=\(format) --sort=name -cf t.tar d
            """
        try Peer("sh").run(["-c", script, folder.path, long])
        let found = try entries(try WholeFile.read(folder.path + "/t.tar"))
        let byPath = Dictionary(uniqueKeysWithValues: found.map { ($0.0.path, $0) })
        #expect(byPath[Array("d/".utf8)]?.0.kind == .directory)
        #expect(byPath[Array("d/".utf8)]?.0.mode == 0o2755)
        #expect(byPath[Array("d/file".utf8)]?.1 == Array("hello".utf8))
        #expect(byPath[Array("d/file".utf8)]?.0.modified.seconds == 1_234_567_890)
        #expect(byPath[Array(long.utf8)]?.1 == Array("x".utf8))
        #expect(byPath[Array("d/link".utf8)]?.0.link == Array("file".utf8))
        #expect(byPath[Array("d/other".utf8)]?.0.kind == .hardLink)
        #expect(byPath[Array("d/other".utf8)]?.0.link == Array("d/file".utf8))
        // Two spellings of one letter are two names, and a byte that is no UTF-8 is a name too.
        #expect(byPath[Array("d/café".utf8)] != nil)
        #expect(byPath[Array("d/cafe\u{301}".utf8)] != nil)
        #expect(byPath[Array("d/bad".utf8) + [0xE9]]?.1 == Array("b".utf8))
    }

    @Test(
        "sparse files as GNU tar writes them", .enabled(if: Peers.tar.isPresent, "tar is not installed"),
        arguments: [
            "--format=gnu", "--format=pax --sparse-version=0.0", "--format=pax --sparse-version=0.1",
            "--format=pax --sparse-version=1.0",
        ])
    func sparse(options: String) throws {
        let folder = TemporaryDirectory()
        let script = """
            cd "$0" && mkdir d && truncate -s 3M d/f && for at in 0 7 20 31 64 99 120; do \
            printf "block $at" | dd of=d/f bs=8192 seek=$at conv=notrunc status=none; done && truncate -s 5M d/f \
            && printf after > d/g && tar -S \(options) --sort=name -cf t.tar d
            """
        try Peer("sh").run(["-c", script, folder.path])
        let archive = try WholeFile.read(folder.path + "/t.tar")
        #expect(archive.count < 1 << 20)
        var stack = LayerStack()
        let layer = try stack.push(archive)
        #expect(try stack.tree.contents(of: "/d/f") == WholeFile.read(folder.path + "/d/f"))
        #expect(try stack.tree.contents(of: "/d/g") == Array("after".utf8))
        #expect(try stack.tree.entry("/d/f", followingLinks: false)?.status.blocks ?? 0 < 5000)
        let sum = try Peer("sha256sum").run([folder.path + "/d/f"]).text.prefix(64)
        #expect(layer.index["/d/f"]?.digest?.hex == String(sum))
    }

    @Test(
        "times before 1970, with fractions, and owners beyond octal",
        arguments: [
            ("mtime", "-1.5", Timestamp(seconds: -2, nanoseconds: 500_000_000)),
            ("mtime", "12.000000001", Timestamp(seconds: 12, nanoseconds: 1)),
            ("mtime", "-3", Timestamp(seconds: -3)),
            ("mtime", "99999999999", Timestamp(seconds: 99_999_999_999)),
            ("mtime", "1.9999999999", Timestamp(seconds: 1, nanoseconds: 999_999_999)),
        ])
    func times(key: String, value: String, expected: Timestamp) throws {
        let member = TarBytes.Member(name: "x", pax: [(key, Array(value.utf8))])
        #expect(try entries(TarBytes.archive([member])).first?.0.modified == expected)
    }

    @Test("binary numbers")
    func base256() throws {
        var tar = TarBytes()
        tar.add(.init(name: "x"))
        var bytes = tar.bytes
        bytes.replaceSubrange(136..<148, with: [UInt8](repeating: 0xFF, count: 11) + [0xFE])
        bytes.replaceSubrange(108..<116, with: [0x80, 0, 0, 0, 0, 0x98, 0x96, 0x80])
        bytes.replaceSubrange(148..<156, with: repeatElement(0x20, count: 8))
        let sum = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
        bytes.replaceSubrange(148..<148 + sum.utf8.count, with: sum.utf8)
        let entry = try entries(bytes).first?.0
        #expect(entry?.modified.seconds == -2)
        #expect(entry?.uid == 10_000_000)
    }

    private static let good = TarBytes.archive([.init(name: "a", content: Array("x".utf8)), .init(name: "b")])

    /// Archives that must be refused, each with a piece of the reason.
    private static let bad: [(String, [UInt8], String)] = {
        var flipped = good
        flipped[10] ^= 1
        var lone = TarBytes()
        lone.addBlock(.init(name: "a"), [])
        let negative = TarBytes.archive([.init(name: "x", pax: [("size", Array("-5".utf8))])])
        let huge = TarBytes.archive([.init(name: "x", pax: [("size", Array("99999999999999999".utf8))])])
        var longName = TarBytes()
        longName.addBlock(.init(name: "././@LongLink", type: "L"), [], size: 1 << 30)
        var paxAtEnd = TarBytes()
        paxAtEnd.addBlock(.init(name: "p", type: "x"), TarBytes.record("path", Array("y".utf8)))
        return [
            ("garbage", [UInt8](repeating: 0x41, count: 2048), "checksum"),
            ("flipped bit", flipped, "checksum"),
            ("cut header", Array(good[..<1200]), "unexpected end"),
            ("cut data", Array(good[..<512]), "unexpected end"),
            ("lone zero block", lone.bytes + [UInt8](repeating: 0, count: 512) + lone.bytes, "lone block"),
            ("negative size", negative, "PAX"),
            ("size beyond all", huge, "more than"),
            ("huge long name", longName.bytes, "header of"),
            ("extended header at the end", paxAtEnd.bytes + [UInt8](repeating: 0, count: 1024), "unexpected end"),
            ("NUL in a path", TarBytes.archive([.init(name: "x", pax: [("path", [97, 0, 98])])]), "NUL"),
            (
                "path too long",
                TarBytes.archive([.init(name: "x", pax: [("path", [UInt8](repeating: 97, count: 5000))])]), "longer"
            ),
            ("unknown type", TarBytes.archive([.init(name: "x", type: "Z")]), "type"),
            (
                "broken PAX length", TarBytes.archive([.init(name: "x", type: "x", content: Array("99 a=b\n".utf8))]),
                "PAX"
            ),
            (
                "sparse map that overlaps",
                TarBytes.archive([
                    .init(
                        name: "x", content: [1, 2, 3],
                        pax: [
                            ("GNU.sparse.numblocks", [0x32]), ("GNU.sparse.size", Array("10".utf8)),
                            ("GNU.sparse.map", Array("0,2,1,1".utf8)),
                        ])
                ]), "sparse"
            ),
        ]
    }()

    @Test("broken archives are one clear error", arguments: bad.indices)
    func broken(index: Int) throws {
        let (name, bytes, reason) = Self.bad[index]
        do {
            _ = try entries(bytes)
            Issue.record("\(name): no error")
        } catch let error as ShaleError {
            #expect(error.code == .corrupt && error.description.contains(reason), "\(name): \(error)")
        }
    }

    @Test("an end without zero blocks, none at all, and an empty file are ends")
    func ends() throws {
        #expect(try entries(Array(Self.good.dropLast(1024))).count == 2)
        // Right behind the last file's bytes, in the middle of what should fill the block up.
        #expect(try entries(Array(Self.good[..<513])).count == 1)
        #expect(try entries([]).isEmpty)
        #expect(try entries([UInt8](repeating: 0, count: 1024)).isEmpty)
    }

    @Test("too many members")
    func tooMany() throws {
        var limits = UnpackLimits.standard
        limits.entries = 1
        #expect(throws: ShaleError.self) { try entries(Self.good, limits: limits) }
    }

    @Test("what the writer writes, the reader and GNU tar read", .enabled(if: Peers.tar.isPresent))
    func roundTrip() throws {
        var written: [TarEntry] = []
        var bytes: [UInt8] = []
        let writer = TarWriter { chunk throws(ShaleError) in bytes.append(contentsOf: chunk) }
        for (index, path) in Self.paths.enumerated() {
            var entry = TarEntry(path: path.pathBytes, kind: .file)
            entry.modified = Timestamp(seconds: [-5, 0, 1_700_000_000, 1 << 40][index % 4])
            entry.uid = [0, 1000, 3_000_000][index % 3]
            entry.attributes = index % 2 == 0 ? [] : [ExtendedAttribute(name: "user.a", value: [0, 10, 255])]
            entry.size = 3
            try writer.add(entry, contents: [1, 2, 3])
            written.append(entry)
        }
        var link = TarEntry(path: Array("l".utf8), kind: .symlink)
        link.link = Array(String(repeating: "t", count: 300).utf8)
        try writer.add(link)
        _ = try writer.finish()
        let read = try entries(bytes)
        #expect(read.dropLast().map(\.0) == written)
        #expect(read.last?.0.link == link.link)
        let listed = try Peers.tar.run(["-tf", "-"], input: bytes, environment: ["LC_ALL": "C.UTF-8"]).text
        #expect(listed.split(separator: "\n").count == Self.paths.count + 1)
    }

    private static let paths = [
        "a", String(repeating: "b", count: 100), String(repeating: "c", count: 101),
        String(repeating: "d", count: 90) + "/" + String(repeating: "e", count: 90),
        String(repeating: "f/", count: 100) + "g", String(repeating: "h", count: 160) + "/i", "é", "cafe\u{301}",
        String(pathBytes: [0x62, 0xE9]), String(repeating: "j", count: 255) + "/" + String(repeating: "k", count: 255),
    ]
}
