package import Basics
import FoundationEssentials
import Glibc
import Linux

/// A session's journal on disk: append-only, one JSON object a line, shared by every shale in the session.
///
/// A line cut short by a crash is passed over; what stands before it counts.
package final class Journal {
    private let folder: String
    private var offset = 0
    private var lines = 0
    /// Everything read so far, in order.
    package private(set) var entries: [JournalEntry] = []

    package init(folder: String) { self.folder = folder }

    private var path: String { "\(folder)/journal" }

    /// Reads what others appended since the last look; answers the new entries.
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
        let decoder = JSONDecoder()
        var fresh: [JournalEntry] = []
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            lines += 1
            guard var entry = try? decoder.decode(JournalEntry.self, from: Data(line)) else { continue }
            entry.number = lines
            fresh.append(entry)
        }
        entries += fresh
        return fresh
    }

    /// Appends an entry that changes nothing of the state: no lock, no waiting for the disk, nothing read.
    package func note(_ entry: JournalEntry) throws(ShaleError) {
        try translating("session journal") {
            try write(entry, isDurable: false, afterCutLine: false)
        }
    }

    /// Appends an entry made from the state all agree on, and waits for the disk; answers everything new, the own
    /// entry last.
    ///
    /// `make` is called with the journal locked and read up, with what was new; `nil` appends nothing.
    package func append(
        _ make: (_ fresh: [JournalEntry]) throws(ShaleError) -> JournalEntry?
    ) throws(ShaleError) -> [JournalEntry] {
        try translating("session journal") {
            let lock = try FileLock.waiting(on: "\(folder)/journal.lock", exclusive: true)
            defer { withExtendedLifetime(lock) {} }
            let fresh = try readTail()
            guard let entry = try make(fresh) else { return fresh }
            // A line that a crash cut short must not swallow this one.
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
