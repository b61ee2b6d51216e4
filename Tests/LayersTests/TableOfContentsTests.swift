import Basics
import OCI
import Testing

@testable import Layers

/// Tables of contents as eStargz and zstd:chunked have them.
struct TableOfContentsTests {
    private static let text = """
        {"version":1,"entries":[
        {"name":"etc/","type":"dir","mode":16877,"modtime":"2023-11-14T22:13:20Z"},
        {"name":"etc/a","type":"reg","size":10,"mode":33188,"uid":7,"offset":100,"endOffset":160,"chunkSize":6,
         "digest":"sha256:0000000000000000000000000000000000000000000000000000000000000001"},
        {"name":"etc/a","type":"chunk","offset":130,"chunkOffset":6,"chunkSize":4},
        {"name":"etc/b","type":"hardlink","linkName":"etc/a"},
        {"name":"etc/in","type":"reg","size":3,"offset":200,"innerOffset":512},
        {"name":"etc/both","type":"reg","size":2,"offset":200,"innerOffset":1024},
        {"name":"deep/er/l","type":"symlink","linkName":"../x"},
        {"name":"etc/.wh.gone","type":"reg"},{"name":"var/.wh..wh..opq","type":"reg"},
        {"name":"null","type":"char","devMajor":1,"devMinor":3},
        {"name":"empty","type":"reg","xattrs":{"user.k":"dmFsdWU=","trusted.overlay.opaque":"eQ=="}},
        {"name":"what","type":"odd"}]}
        """

    @Test func tellsPathsAndPlaces() throws {
        let table = try TableOfContents(parsing: Array(Self.text.utf8), end: 900, subject: "layer")
        let lines = table.index.entries.map { "\($0.path) \($0.kind)\($0.isImplied ? " implied" : "")" }
        #expect(
            lines == [
                "/deep directory implied", "/deep/er directory implied", "/deep/er/l symlink", "/empty file",
                "/etc directory", "/etc/a file", "/etc/b hardLink", "/etc/both file", "/etc/gone whiteout",
                "/etc/in file", "/null characterDevice", "/var directory implied",
            ])
        #expect(table.index["/etc/a"]?.mode == 0o644 && table.index["/etc/a"]?.uid == 7)
        #expect(table.index["/etc/b"]?.link == "/etc/a")
        #expect(table.index["/var"]?.isOpaque == true)
        #expect(table.index["/null"]?.deviceMinor == 3)
        #expect(table.index["/empty"]?.attributes == [ExtendedAttribute(name: "user.k", value: Array("value".utf8))])
        #expect(table.index["/etc"]?.modified == Timestamp(seconds: 1_700_000_000))
        func pieces(_ path: String) -> [String] {
            table.pieces(of: path).map { "\($0.place) +\($0.skipped) \($0.size)" }
        }
        #expect(pieces("/etc/a") == ["100..<130 +0 6", "130..<160 +0 4"])
        #expect(pieces("/etc/in") == ["200..<900 +512 3"])
        #expect(pieces("/etc/both") == ["200..<900 +1024 2"])
        #expect(pieces("/empty").isEmpty)
    }

    /// Numbers at the borders of their type, and below nothing.
    @Test(arguments: ["-1", "-9223372036854775808", "9223372036854775807", "1e300", "-0.5"])
    func numbersThatCannotBeEndNothing(_ number: String) throws {
        let text = """
            {"version":1,"entries":[{"name":"a","type":"reg","size":\(number),"mode":\(number),"uid":\(number),
            "offset":\(number),"endOffset":\(number),"chunkSize":\(number),"innerOffset":\(number)},
            {"name":"a","type":"chunk","offset":\(number),"chunkOffset":\(number),"chunkSize":\(number)},
            {"name":"b","type":"reg","size":5,"offset":3,"innerOffset":\(number)},
            {"name":"b","type":"reg","size":\(number),"offset":4}]}
            """
        let table = try TableOfContents(parsing: Array(text.utf8), end: 900, subject: "layer")
        #expect(table.index["/b"] != nil)
        for path in ["/a", "/b"] {
            for piece in table.pieces(of: path) {
                _ = try PackedPiece.unpacked(
                    Array("some bytes".utf8), skipping: piece.skipped, limit: 4, subject: "layer", Cancellation())
            }
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"entries":[{"type":"reg"}]}"#, #"{"entries":[{"name":"l","type":"hardlink"}]}"#,
    ])
    func refuses(_ text: String) {
        #expect(throws: ShaleError.self) { try TableOfContents(parsing: Array(text.utf8), end: 9, subject: "layer") }
    }

    @Test func findsTheTable() throws {
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        func location(_ notes: [String: String]) -> TableLocation? {
            TableLocation(
                Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of([]), size: 1000, annotations: notes))
        }
        let known = try Digest(parsing: digest)
        #expect(location(["containerd.io/snapshot/stargz/toc.digest": digest]) == .stargz(known))
        for prefix in ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."] {
            let notes = [prefix + "manifest-checksum": digest, prefix + "manifest-position": "700:200:900:1"]
            #expect(location(notes) == .zstdChunked(700..<900, known))
        }
        for place in ["700:400:900:1", "-1:2:3:1", "1:2:3:2", "x", "9223372036854775807:2:3:1"] {
            #expect(
                location([
                    "io.containers.zstd-chunked.manifest-checksum": digest,
                    "io.containers.zstd-chunked.manifest-position": place,
                ]) == nil)
        }
        #expect(location(["containerd.io/snapshot/stargz/toc.digest": "x"]) == nil && location([:]) == nil)

        let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of([]), size: 5000)
        let head: [UInt8] = [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 26, 0, 0x53, 0x47, 22, 0]
        let tail: [UInt8] = [1, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]
        func range(_ place: String) -> Range<Int64>? {
            TableLocation.tableRange(footer: head + Array("\(place)STARGZ".utf8) + tail, of: blob)
        }
        #expect(range("00000000000003e8") == 1000..<4949)
        #expect(range("0000000000002000") == nil && range("zz000000000003e8") == nil)
        #expect(TableLocation.tableRange(footer: [], of: blob) == nil)
    }
}
