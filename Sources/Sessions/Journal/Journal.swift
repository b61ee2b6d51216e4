package import Basics
import FoundationEssentials
import Glibc
import Linux

/// A session's journal on disk: append-only, with one JSON object per line.
///
/// All processes in the session share it.
///
/// A line that a crash interrupted is skipped.
package final class Journal {
    private let folder: String
    private var offset = 0
    private var lines = 0
    /// Lines that did not change the state, by number.
    ///
    /// They are parsed only when needed, because a session may have ten thousand of them.
    private var unread: [(number: Int, line: ArraySlice<UInt8>)] = []
    private var all: [JournalEntry] = []
    /// How many of ``stateEntries`` are in ``all``.
    private var takenStates = 0
    /// The entries that changed the state, in order.
    package private(set) var stateEntries: [JournalEntry] = []

    /// All entries read so far, in order.
    package var entries: [JournalEntry] {
        if unread.isEmpty, takenStates == stateEntries.count { return all }
        all += stateEntries[takenStates...] + unread.compactMap { Self.entry($0.line, $0.number) }
        all.sort { $0.number < $1.number }
        takenStates = stateEntries.count
        unread = []
        return all
    }

    /// The number of lines read so far.
    package var count: Int { lines }
    package var last: JournalEntry? { entries.last }

    package init(folder: String) { self.folder = folder }

    private var path: String { "\(folder)/journal" }

    /// Reads what other processes appended since the last call; returns the new entries that changed the state.
    ///
    /// Throws the file system's error when the journal cannot be read.
    @discardableResult
    package func refresh() throws(ShaleError) -> [JournalEntry] {
        try translating("session journal") { try readTail() }
    }

    private func readTail() throws -> [JournalEntry] {
        guard try size() > offset else { return [] }
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

    /// The journal's size in bytes; 0 before the first line.
    private func size() throws(SystemCallError) -> Int64 { try ifPresent(FileStatus.of(hostPath: path))?.size ?? 0 }

    private static let stateKeys = ["\"changes\":", "\"movedTo\":"].map { Array($0.utf8) }

    private static func entry(_ line: ArraySlice<UInt8>, _ number: Int) -> JournalEntry? {
        guard var entry = try? JSONDecoder().decode(JournalEntry.self, from: Data(line)) else { return nil }
        entry.number = number
        return entry
    }

    /// Whether a line has a JSON key of an entry that changed the state.
    ///
    /// Inside a JSON string the key's quotes are escaped, so a string cannot match.
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

    /// Appends an entry that does not change the state: without a lock, and without waiting for the disk.
    ///
    /// Throws the file system's error when the journal cannot be written.
    package func note(_ entry: JournalEntry) throws(ShaleError) {
        try translating("session journal") {
            try write(entry, isDurable: false, afterCutLine: try endsInCutLine())
        }
    }

    /// Appends an entry that changes the state, under the journal's lock, and waits for the disk.
    ///
    /// Returns all new entries that changed the state; the own entry is the last.
    ///
    /// `make` is called with the new entries of other processes while the journal is locked; when it returns `nil`
    /// nothing is
    /// appended.
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
            // After a line that a crash interrupted, the new entry must begin on its own line.
            try write(entry, isDurable: true, afterCutLine: try size() > offset)
            return fresh + (try readTail())
        }
    }

    /// The bytes of a journal file with these entries.
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

    /// Whether the journal's last byte is not the end of a line.
    ///
    /// Another process may be writing its line at this moment only in parts when the disk is full: an entry is written
    /// with one call. An empty line between two entries does no harm.
    private func endsInCutLine() throws(SystemCallError) -> Bool {
        guard let file = try ifPresent(OwnedFD.open(path, O_RDONLY)) else { return false }
        let size = try FileStatus.of(file).size
        guard size > 0 else { return false }
        let raw = file.raw
        var last: UInt8 = 0
        return try checkLength("pread") { pread(raw, &last, 1, off_t(size - 1)) } == 1 && last != UInt8(ascii: "\n")
    }

    private func write(_ entry: JournalEntry, isDurable: Bool, afterCutLine: Bool) throws {
        let line = (afterCutLine ? [UInt8(ascii: "\n")] : []) + (try Self.line(of: entry))
        let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_APPEND)
        try file.write(line)
        if isDurable { try file.sync() }
    }
}
