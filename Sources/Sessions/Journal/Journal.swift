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
        let fresh = bytes[...end].split(separator: UInt8(ascii: "\n")).compactMap {
            try? decoder.decode(JournalEntry.self, from: Data($0))
        }
        entries += fresh
        return fresh
    }

    /// Appends an entry made from the state all agree on; answers everything new, the own entry last.
    ///
    /// - Parameters:
    ///   - isDurable: Whether to wait until it is on disk; lines that change nothing need not.
    ///   - make: Called with the journal locked and read up, with the entry's number; `nil` appends nothing.
    package func append(
        isDurable: Bool, _ make: (_ number: Int, _ fresh: [JournalEntry]) throws(ShaleError) -> JournalEntry?
    ) throws(ShaleError) -> [JournalEntry] {
        try translating("session journal") {
            if mkdir(folder, 0o700) == -1, errno != EEXIST { throw SystemCallError("mkdir", path: folder) }
            let lock = try FileLock.waiting(on: "\(folder)/lock", exclusive: true)
            defer { _ = consume lock }
            let fresh = try readTail()
            guard let entry = try make((entries.last?.number ?? 0) + 1, fresh) else { return fresh }
            try write(entry, isDurable: isDurable)
            return fresh + (try readTail())
        }
    }

    private func write(_ entry: JournalEntry, isDurable: Bool) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = Array(try encoder.encode(entry))
        line.append(UInt8(ascii: "\n"))
        let file = try OwnedFD.open(path, O_RDWR | O_CREAT | O_APPEND)
        // A line that a crash cut short must not swallow this one.
        if try FileStatus.of(file).size > offset { line.insert(UInt8(ascii: "\n"), at: 0) }
        try file.write(line)
        if isDurable { try file.sync() }
    }
}
