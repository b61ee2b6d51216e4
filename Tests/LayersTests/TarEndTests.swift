import Basics
import Layers
import Testing

@Suite struct TarEndTests {
    /// Where the archive of one file of 6 bytes is cut, and whether that is an end.
    static let cuts: [(length: Int, isEnd: Bool)] = [
        (2048, true), (1536, true), (1024, true), (600, true), (518, true), (517, false), (512, false), (511, false),
    ]

    @Test(arguments: cuts.indices) func anArchiveMayEndBehindItsLastBytes(_ index: Int) throws {
        let whole = TarBytes.archive([.init(name: "f", content: Array("hello\n".utf8))])
        let row = Self.cuts[index]
        let bytes = Array(whole.prefix(row.length))
        let stream = try UnpackedStream(BytesSource(bytes), subject: "archive", cancellation: Cancellation())
        defer { stream.close() }
        let reader = TarReader(stream, subject: "archive")
        let read = { () throws -> [UInt8]? in
            guard try reader.next() != nil else { return nil }
            let contents = try reader.contents(limit: 100)
            let next = try reader.next()
            #expect(next == nil)
            return contents
        }
        if row.isEnd {
            #expect(try read() == Array("hello\n".utf8))
        } else {
            #expect(throws: ShaleError.self) { try read() }
        }
    }
}
