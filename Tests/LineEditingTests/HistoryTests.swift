import Basics
import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import LineEditing

struct HistoryTests {
    @Test(arguments: ["images", "a b\tc", "x\ny", "back\\slash", "grüße 🐳", "\u{1}\u{7f}"])
    func encoding(entry: String) {
        let line = HistoryFile.encode(entry)
        #expect(line.utf8.allSatisfy { (33...126).contains($0) })
        #expect(HistoryFile.decode(Array("_HiStOrY_V2_\n\(line)\n".utf8)) == [entry])
    }

    @Test
    func twoPromptsOnOneFile() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/history"
        let one = HistoryFile(path: path)
        let two = HistoryFile(path: path)
        try one.add("a")
        try two.add("b")
        try one.add("a")
        try one.add("")
        try one.add("c\nd")
        #expect(HistoryFile(path: path).entries == ["a", "b", "c\nd"])
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    /// A prompt that shortens the file leaves what another adds to it before and after.
    @Test
    func shortenedUnderAnotherPrompt() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/history"
        let one = HistoryFile(path: path, size: 10)
        for number in 0..<200 { try one.add("x\(number)") }
        let two = HistoryFile(path: path, size: 10)
        try one.add("one")
        try two.add("two")
        #expect(HistoryFile(path: path, size: 10).entries.suffix(3) == ["x199", "one", "two"])
    }

    @Test
    func suggestions() throws {
        let history = HistoryFile(path: nil)
        for entry in ["images -q", "images -a", "run <<E\na\nE", "bad \u{1b}[2J", "é漢 x"] { try history.add(entry) }
        #expect(history.suggestion(for: "im") == "ages -a")
        #expect(history.suggestion(for: "é") == "漢 x")
        for text in ["", " ", "images -a", "run", "bad", "x"] { #expect(history.suggestion(for: text) == nil) }
    }

    @Test
    func sizeAndUniqueness() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/history"
        let history = HistoryFile(path: path, size: 3)
        for entry in ["a", "b", "a", "c", "d"] { try history.add(entry) }
        #expect(history.entries == ["a", "c", "d"])
        #expect(HistoryFile(path: path, size: 3).entries == ["a", "c", "d"])
        for number in 0..<300 { try history.add("x\(number)") }
        #expect(HistoryFile(path: path, size: 3).entries == ["x297", "x298", "x299"])
        let bytes = try Data(contentsOf: URL(filePath: path)).count
        #expect(bytes < 100)
    }

    @Test
    func references() throws {
        let history = HistoryFile(path: nil)
        for entry in ["a", "b", "c"] { try history.add(entry) }
        #expect(history.entry("!") == "c")
        #expect(history.entry("1") == "a")
        #expect(history.entry("-2") == "b")
        for reference in ["0", "4", "-4", "-9223372036854775808", "x"] { #expect(history.entry(reference) == nil) }
        #expect(history.entries(startingWith: "b") == ["b"])
    }

    @Test
    func unwritableFile() {
        #expect(throws: ShaleError.self) { try HistoryFile(path: "/proc/nowhere/history").add("a") }
    }

    @Test(arguments: [("", 0), ("abc", 0), ("12345678901", 1), ("1234567890", 1), ("a\nb\nc", 2), ("漢字漢字漢", 1)])
    func screenRows(text: String, row: Int) {
        #expect(ScreenRows.row(atEndOf: text, columns: 10) == row)
    }

    @Test
    func menuColumns() {
        let plain = (1...7).map { Candidate("word\($0)") }
        #expect(CompletionMenu.text(plain, columns: 24) == "word1  word4  word7\nword2  word5\nword3  word6\n")
        let described = [Candidate("a", summary: "first"), Candidate("long", summary: "second\u{1b}")]
        #expect(CompletionMenu.text(described, columns: 80) == "a     first\nlong  second\\e\n")
    }
}
