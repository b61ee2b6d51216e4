package import Basics
import Glibc
import Linux
package import OCI
import Synchronization

/// A line of a session's that is under way, as its journal will have it.
package struct LineUnderWay: Sendable, Hashable, Codable {
    package var session: String
    /// What was typed, secrets masked.
    package var line: String
    package var directory: String?
    package var time: Timestamp

    package init(session: String, line: String, directory: String?, time: Timestamp) {
        self.session = session
        self.line = line
        self.directory = directory
        self.time = time
    }
}

/// Written with a change, in the same file: whose doing it is, before the session's journal can have the line.
package struct LineStamp: Sendable, Hashable, Codable {
    package var by: LineUnderWay
    /// The journal's entry of this line carries it too; one that does not is still to come, or was cut off.
    package var token: String
    /// Who writes: the name of its folder in `ingest`.
    package var process: String

    package init(by: LineUnderWay, token: String, process: String) {
        self.by = by
        self.token = token
        self.process = process
    }
}

/// What a line did to names and images, kept in `index.json` with the change itself.
///
/// So the change and the word of it are there together or not at all, and nothing more is waited for.
package struct StampedChanges: Sendable, Hashable, Codable {
    package var stamp: LineStamp
    package var moves: [TableChanges.Move]
    package var arrived: [Digest]
    package var departed: [Digest]

    init(_ stamp: LineStamp, _ changes: TableChanges) {
        self.stamp = stamp
        moves = changes.moves
        arrived = changes.arrived
        departed = changes.departed
    }
}

/// Stamps what this process changes with the line that does it.
package final class WriteAhead: Sendable {
    private struct State {
        var line: LineUnderWay?
        var token: String?
        var count = 0
    }

    private let paths: StorePaths
    private let ingest: IngestFolder
    private let state = Mutex(State())

    init(paths: StorePaths, ingest: IngestFolder) {
        self.paths = paths
        self.ingest = ingest
    }

    /// Says which line is under way; `nil` where changes are no line's doing.
    package func begin(_ line: LineUnderWay?) { state.withLock { $0.line = line } }

    /// The stamp for a change that is about to be made; `nil` where no line is under way.
    func stamp() throws(ShaleError) -> LineStamp? {
        guard let line = state.withLock({ $0.line }) else { return nil }
        let process = try ingest.ownName()
        return state.withLock { state in
            if state.token == nil { state.count += 1 }
            let token = state.token ?? "\(process)-\(state.count)"
            state.token = token
            return LineStamp(by: line, token: token, process: process)
        }
    }

    /// The token of what was stamped since this was last asked, for the journal; `nil` where nothing was.
    package func takeToken() -> String? {
        state.withLock { state in
            defer { state.token = nil }
            return state.token
        }
    }

    /// Whether the process that wrote a stamp is gone: its line goes no further.
    package func isCutOff(_ stamp: LineStamp) -> Bool { !ingest.isOwned(stamp.process) }

    /// The stamped changes of other processes, without those that are in their session's journal.
    func unsettled(_ all: [StampedChanges], butOf own: LineStamp?) -> [StampedChanges] {
        all.filter { $0.stamp.process != own?.process && !isSettled($0.stamp) }
    }

    private func isSettled(_ stamp: LineStamp) -> Bool {
        guard (try? SessionFolder.check(stamp.by.session)) != nil else { return true }
        let journal = "\(paths.sessions)/\(stamp.by.session)/journal"
        // Without a journal it is a session's first line.
        guard let file = try? OwnedFD.open(journal, O_RDONLY) else { return false }
        let size = (try? FileStatus.of(file).size) ?? 0
        // Mostly the last lines have it.
        return [64 << 10, size].contains { length in
            file.contains(stamp.token, after: max(0, size - length))
        }
    }
}

extension OwnedFD {
    /// Whether a file holds a text behind an offset.
    fileprivate borrowing func contains(_ text: String, after offset: Int64) -> Bool {
        let raw = self.raw
        guard lseek(raw, off_t(offset), SEEK_SET) >= 0, let bytes = try? readAll(limit: 1 << 30) else { return false }
        return (bytes + [0]).withUnsafeBytes { all in
            all.baseAddress.map { strstr($0.assumingMemoryBound(to: CChar.self), text) != nil } ?? false
        }
    }
}
