import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import Engine

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
}
