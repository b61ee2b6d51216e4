package import Basics
import FoundationEssentials
import Glibc
import Linux

/// A session's journal on disk: append-only, one JSON object a line, shared by every shale in the session.
///
/// A line interrupted by a crash is skipped; what stands before it counts.
package final class Journal {
    private let folder: String
    private var offset = 0
    private var lines = 0
    /// Lines that did not change the state, by number.
    ///
    /// They are parsed on request: a session may have ten thousand of them.
    private var unread: [(number: Int, line: ArraySlice<UInt8>)] = []
    private var all: [JournalEntry] = []
    /// How many of ``stateEntries`` are in ``all``.
    private var takenStates = 0
    /// The entries that changed the state, in order.
    package private(set) var stateEntries: [JournalEntry] = []

    /// Everything read so far, in order.
    package var entries: [JournalEntry] {
        if unread.isEmpty, takenStates == stateEntries.count { return all }
        all += stateEntries[takenStates...] + unread.compactMap { Self.entry($0.line, $0.number) }
        all.sort { $0.number < $1.number }
        takenStates = stateEntries.count
        unread = []
        return all
    }

    /// How many lines were read.
    package var count: Int { lines }
    package var last: JournalEntry? { entries.last }

    package init(folder: String) { self.folder = folder }

    private var path: String { "\(folder)/journal" }

    /// Reads what others appended since the last look; returns the new entries that changed the state.
    ///
    /// Throws the file system's error when the journal cannot be read.
    @discardableResult
    package func refresh() throws(ShaleError) -> [JournalEntry] {
        try translating("session journal") { try readTail() }
    }

    private func readTail() throws -> [JournalEntry] {
        guard let status = try? FileStatus.of(hostPath: path), status.size > offset else { return [] }
        let file = try OwnedFD.open(path, O_RDONLY)
        let start = offset
        let raw = file.raw
        try checkLength("lseek") { Int(lseek(raw, off_t(start), SEEK_SET)) }
        let bytes = try file.readAll(limit: 1 << 30)
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        offset += end + 1
        var fresh: [JournalEntry] = []
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            lines += 1
            if !Self.mayChangeState(line) {
                if !line.isEmpty { unread.append((lines, line)) }
            } else if let entry = Self.entry(line, lines) {
                fresh.append(entry)
            }
        }
        stateEntries += fresh
        return fresh
    }

    private static let stateKeys = ["\"changes\":", "\"movedTo\":"].map { Array($0.utf8) }

    private static func entry(_ line: ArraySlice<UInt8>, _ number: Int) -> JournalEntry? {
        guard var entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(line)) else { return nil }
        entry.number = number
        return entry
    }

    /// Whether a line has one of the keys of an entry that changed the state; text that looks like one has its quotes
    /// escaped.
    private static func mayChangeState(_ line: ArraySlice<UInt8>) -> Bool {
        line.withUnsafeBytes { text in
            stateKeys.contains { key in
                guard let first = text.baseAddress, text.count >= key.count else { return false }
                return (0...(text.count - key.count)).contains { place in
                    text[place] == key[0] && memcmp(first + place, key, key.count) == 0
                }
            }
        }
    }

    /// Appends an entry that changes nothing of the state: no lock, no waiting for the disk, nothing read.
    ///
    /// Throws the file system's error when the journal cannot be written.
    package func note(_ entry: JournalEntry) throws(ShaleError) {
        try translating("session journal") {
            try write(entry, isDurable: false, afterCutLine: false)
        }
    }

    /// Appends an entry that changes the state, made from the state all agree on, and waits for the disk; returns every
    /// new one that did, the own entry last.
    ///
    /// `make` is called with the journal locked and read up, with what was new; `nil` appends nothing.
    ///
    /// Throws what `make` throws, and the file system's error when the journal cannot be locked, read or written.
    package func append(
        _ make: (_ fresh: [JournalEntry]) throws(ShaleError) -> JournalEntry?
    ) throws(ShaleError) -> [JournalEntry] {
        try translating("session journal") {
            let lock = try FileLock.waiting(on: "\(folder)/journal.lock", exclusive: true)
            defer { withExtendedLifetime(lock) {} }
            let fresh = try readTail()
            guard let entry = try make(fresh) else { return fresh }
            // A line that a crash interrupted must not be joined with this one.
            let isCut = ((try? FileStatus.of(hostPath: path).size) ?? 0) > offset
            try write(entry, isDurable: true, afterCutLine: isCut)
            return fresh + (try readTail())
        }
    }

    /// A journal of these entries, as it stands in its file.
    static func bytes(_ entries: [JournalEntry]) throws(ShaleError) -> [UInt8] {
        try translating("session journal") {
            try entries.reduce(into: []) { $0 += try line(of: $1) }
        }
    }

    private static func line(of entry: JournalEntry) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(entry.masked)) + [UInt8(ascii: "\n")]
    }

    private func write(_ entry: JournalEntry, isDurable: Bool, afterCutLine: Bool) throws {
        let line = (afterCutLine ? [UInt8(ascii: "\n")] : []) + (try Self.line(of: entry))
        let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_APPEND)
        try file.write(line)
        if isDurable { try file.sync() }
    }
}
