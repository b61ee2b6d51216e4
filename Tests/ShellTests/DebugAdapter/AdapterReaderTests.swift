import Basics
import Glibc
import Testing

@testable import Shell

@Suite struct AdapterReaderTests {
    /// What is read of these bytes, which arrive `size` at a time.
    private func read(_ text: String) throws -> [AdapterRequest] {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let bytes = Array(text.utf8)
        try #require(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        var reader = AdapterReader(ends[0])
        var found: [AdapterRequest] = []
        while let request = try reader.next() { found.append(request) }
        return found
    }

    private func message(_ content: String, header: String = "Content-Length") -> String {
        "\(header): \(content.utf8.count)\r\n\r\n\(content)"
    }

    @Test func several() throws {
        let first = message(#"{"seq":1,"type":"request","command":"next","arguments":{"threadId":1}}"#)
        let event = message(#"{"seq":2,"type":"event","event":"x"}"#)
        let second = message(#"{"seq":3,"type":"request","command":"über"}"#, header: "content-LENGTH")
        let found = try read(first + event + second)
        #expect(found.map(\.command) == ["next", "über"])
        #expect(found.map(\.sequence) == [1, 3])
        #expect(found[0].arguments["threadId"] == 1)
        #expect(found[1].arguments == .object([]))
    }

    @Test func otherFieldsArePassedOver() throws {
        let content = #"{"seq":1,"type":"request","command":"threads"}"#
        let text = "Content-Type: x\r\nContent-Length: \(content.utf8.count)\r\n\r\n\(content)"
        #expect(try read(text).count == 1)
    }

    @Test(arguments: [
        "Content-Length: 5", "Content-Length: 5\r\n\r\n{", "Content-Type: x\r\n\r\n{}", "nonsense\r\n\r\n",
        "Content-Length: 16777217\r\n\r\n", "Content-Length: 1e3\r\n\r\n", "Content-Length: 2\r\n\r\n\"\"",
    ])
    func refused(_ text: String) {
        #expect(throws: ShaleError.self) { _ = try read(text) }
    }

    @Test("A text is cut between characters alone")
    func pieces() {
        let text = "aäあ𝄞b"
        for size in 1...5 {
            var pieces = UTF8Pieces()
            var found = ""
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                found += pieces.adding(bytes.prefix(size))
                bytes = bytes.dropFirst(size)
            }
            #expect(found + pieces.end() == text)
        }
        var broken = UTF8Pieces()
        #expect(broken.adding([0xFF, 0x61, 0xC3]) + broken.end() == "\u{FFFD}a\u{FFFD}")
    }

    @Test func breakpointsFollowTheFile() {
        let rules = StopRules()
        _ = rules.setLines([2, 9])
        #expect(rules.hits(SteppedUnit(line: 2, endLine: 3, text: "RUN x")).isEmpty)
        let changed = rules.setUnits([
            SteppedUnit(line: 1, endLine: 1, text: "FROM x"), SteppedUnit(line: 3, endLine: 4, text: "RUN x"),
        ])
        #expect(changed.map(\.line) == [3])
        #expect(rules.hits(SteppedUnit(line: 3, endLine: 4, text: "RUN x")).count == 1)
        _ = rules.setWords(["run", "nothing"])
        #expect(rules.hits(SteppedUnit(line: 5, endLine: 5, text: "RUN y")).count == 1)
        rules.begin(noDebug: true)
        #expect(rules.hits(SteppedUnit(line: 3, endLine: 4, text: "RUN x")).isEmpty)
        #expect(!rules.stopsOnFailure)
        rules.leave()
        rules.begin(noDebug: false)
        #expect(rules.stopsOnFailure && !rules.isLeaving)
        #expect(rules.hits(SteppedUnit(line: 3, endLine: 4, text: "RUN x")).count == 2)
    }

    @Test func linesFromZero() {
        let rules = StopRules()
        rules.setFirstLine(0)
        #expect(rules.line(4) == 5)
        #expect(rules.shown(5) == 4)
        #expect(rules.line("x") == 0)
        #expect(rules.line(.integer(.max)) == 0)
    }
}
