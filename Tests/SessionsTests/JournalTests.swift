import Basics
import Glibc
import TestSupport
import Testing

@testable import Sessions

struct JournalTests {
    private func append(_ line: String, to journal: Journal) throws {
        _ = try journal.append { _ in JournalEntry(time: .now(), line: line, movedTo: 0) }
    }

    @Test func linesAreNumberedByTheirPlace() throws {
        let folder = TemporaryDirectory()
        let journal = Journal(folder: folder.path)
        try append("one", to: journal)
        try journal.note(JournalEntry(time: .now(), line: "looked"))
        try append("two", to: journal)
        let other = Journal(folder: folder.path)
        try other.refresh()
        #expect(other.entries.map(\.line) == ["one", "looked", "two"])
        #expect(other.entries.map(\.number) == [1, 2, 3])
        #expect(journal.entries.map(\.line) == ["one", "looked", "two"])
    }

    /// However often it was looked at before.
    @Test func everyEntryIsThereAtEachLook() throws {
        let folder = TemporaryDirectory()
        let journal = Journal(folder: folder.path)
        var lines: [String] = []
        for line in ["looked", "moved", "moved", "looked", "moved", "looked", "looked", "moved"] {
            if line == "moved" {
                try append(line, to: journal)
            } else {
                try journal.note(JournalEntry(time: .now(), line: line))
            }
            lines.append(line)
            try journal.refresh()
            #expect(journal.entries.map(\.line) == lines)
        }
        #expect(journal.entries.map(\.number) == Array(1...8))
    }

    /// Also a line that changes nothing: joined with the torn one it would be lost.
    @Test func aNoteAfterALineCutShortIsKept() throws {
        let folder = TemporaryDirectory()
        try append("one", to: Journal(folder: folder.path))
        let file = open("\(folder.path)/journal", O_WRONLY | O_APPEND)
        _ = Array("{\"line\":\"tor".utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        try Journal(folder: folder.path).note(JournalEntry(time: .now(), line: "looked"))
        let journal = Journal(folder: folder.path)
        try journal.refresh()
        #expect(journal.entries.map(\.line) == ["one", "looked"])
    }

    /// Only a journal that is not there counts as empty.
    @Test func aJournalThatCannotBeReadIsNotEmpty() throws {
        let folder = TemporaryDirectory()
        let unreachable = folder.path + "/" + String(repeating: "x", count: 300)
        #expect(throws: ShaleError.self) { try Journal(folder: unreachable).refresh() }
        #expect(throws: ShaleError.self) { try Journal.holds(unreachable + "/journal", "t-1") }
        #expect(try Journal.holds(folder.path + "/journal", "t-1") == false)
        #expect(symlink("/proc/self/mem", folder.path + "/journal") == 0)
        #expect(throws: ShaleError.self) { try Journal.holds(folder.path + "/journal", "t-1") }
    }

    @Test func aLineCutShortIsPassedOver() throws {
        let folder = TemporaryDirectory()
        try append("one", to: Journal(folder: folder.path))
        let file = open("\(folder.path)/journal", O_WRONLY | O_APPEND)
        let torn = Array("{\"line\":\"tor".utf8)
        _ = torn.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        close(file)
        let journal = Journal(folder: folder.path)
        try journal.refresh()
        #expect(journal.entries.map(\.line) == ["one"])
        try append("two", to: journal)
        let other = Journal(folder: folder.path)
        try other.refresh()
        #expect(other.entries.map(\.line) == ["one", "two"])
        #expect(other.entries.map(\.number) == journal.entries.map(\.number))
    }

    @Test func onlyWhatChangedTheStateIsTakenApartAtOnce() throws {
        let folder = TemporaryDirectory()
        let journal = Journal(folder: folder.path)
        try journal.note(JournalEntry(time: .now(), line: "echo '\"changes\":' \"movedTo\":"))
        try append("undo", to: journal)
        try journal.note(JournalEntry(time: .now(), line: "ls"))
        let other = Journal(folder: folder.path)
        #expect(try other.refresh().map(\.number) == [2])
        #expect(other.stateEntries.map(\.line) == ["undo"])
        #expect(other.count == 3)
        #expect(other.entries.map(\.number) == [1, 2, 3])
        try other.note(JournalEntry(time: .now(), line: "pwd"))
        #expect(try other.refresh().isEmpty)
        #expect(other.entries.map(\.line).last == "pwd")
        #expect(other.entries.map(\.number) == [1, 2, 3, 4])
    }

    @Test func twoWritersSeeEachOther() throws {
        let folder = TemporaryDirectory()
        let left = Journal(folder: folder.path)
        let right = Journal(folder: folder.path)
        for round in 0..<20 { try append("\(round)", to: round % 2 == 0 ? left : right) }
        try left.refresh()
        #expect(left.entries.map(\.line) == (0..<20).map(String.init))
    }
}
