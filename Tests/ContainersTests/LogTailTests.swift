import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import Containers

@Suite("the end of a log")
struct LogTailTests {
    private static func line(_ number: Int) -> String {
        #"{"log":"\#(number) \#(String(repeating: "x", count: 3000))\n","stream":"stdout","time":"2024-01-01T00:00:00Z"}"#
            + "\n"
    }

    private static func write(_ numbers: ClosedRange<Int>, to path: String) throws {
        try Data(numbers.map(line).joined().utf8).write(to: URL(filePath: path))
    }

    @Test("is read without what comes before it, over the files put aside", arguments: [0, 1, 39, 40, 41, 100, 119])
    func tail(lines: Int) throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/log"
        for (name, numbers) in [("log.2", 1...40), ("log.1", 41...80), ("log", 81...120)] {
            try Self.write(numbers, to: folder.path + "/" + name)
        }
        var reader = LogReader(path: path)
        #expect(try reader.skip(toLast: lines))
        var numbers: [Int] = []
        while let entry = try reader.next() {
            numbers.append(Int(String(decoding: entry.text.prefix { $0 != 32 }, as: UTF8.self)) ?? 0)
        }
        #expect(numbers == Array((121 - lines)..<121))
    }

    @Test("is all of a log that has no more lines", arguments: [120, 121, 1000])
    func all(lines: Int) throws {
        let folder = TemporaryDirectory()
        for (name, numbers) in [("log.1", 1...80), ("log", 81...120)] {
            try Self.write(numbers, to: folder.path + "/" + name)
        }
        var reader = LogReader(path: folder.path + "/log")
        #expect(try !reader.skip(toLast: lines))
        var count = 0
        while try reader.next() != nil { count += 1 }
        #expect(count == 120)
    }

    /// Entries of one log: the stream's first letter, the text, and `.` for a newline at its end.
    private static func write(_ entries: [String], to path: String) throws {
        let lines = entries.map { entry in
            let text = entry.dropFirst().replacing(".", with: "\\n")
            return
                #"{"log":"\#(text)","stream":"\#(entry.hasPrefix("o") ? "stdout" : "stderr")","time":"2024-01-01T00:00:00Z"}"#
        }
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: path))
    }

    @Test(
        "counts the pieces of a long line as one",
        arguments: [
            (1, ["oc1", "oc2", "oc3."]), (2, ["ob.", "oc1", "oc2", "oc3."]),
            (3, ["oa1", "oa2.", "ob.", "oc1", "oc2", "oc3."]), (9, ["oa1", "oa2.", "ob.", "oc1", "oc2", "oc3."]),
            (0, []),
        ])
    func pieces(lines: Int, expected: [String]) throws {
        let folder = TemporaryDirectory()
        try Self.write(["oa1", "oa2."], to: folder.path + "/log.1")
        try Self.write(["ob.", "oc1", "oc2", "oc3."], to: folder.path + "/log")
        var reader = LogReader(path: folder.path + "/log")
        _ = try reader.skip(toLast: lines)
        var found: [String] = []
        while let entry = try reader.next() {
            found.append(
                (entry.isError ? "e" : "o") + String(decoding: entry.text, as: UTF8.self).replacing("\n", with: "."))
        }
        #expect(found == expected)
    }

    @Test("knows which stream's line a piece goes on with, and a text that only looks like an end")
    func streams() throws {
        let folder = TemporaryDirectory()
        try Self.write(["oa1", #"eb\\n"#, "oa2.", "eb2.", "oc."], to: folder.path + "/log")
        var reader = LogReader(path: folder.path + "/log")
        #expect(try !reader.skip(toLast: 4))
        var found: [Bool] = []
        while let entry = try reader.next() { found.append(entry.continuesLine) }
        #expect(found == [false, false, true, true, false])
    }
}
