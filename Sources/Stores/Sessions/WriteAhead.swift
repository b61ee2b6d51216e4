package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
package import OCI
import Synchronization

/// A line of a session's that is under way, as its journal will have it.
package struct LineUnderWay: Sendable, Hashable {
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

/// Written with a change, in the same file: which line makes it, before the session's journal can have the line.
///
/// Others may read that file, so the line itself is not in it.
package struct LineStamp: Sendable, Hashable, Codable {
    package var session: String
    package var time: Timestamp
    /// The journal's entry of this line carries it too; one that does not is still to come, or was cut off.
    package var token: String
    /// Who writes: the name of its folder in `ingest`.
    package var process: String

    init(_ line: LineUnderWay, token: String, process: String) {
        session = line.session
        time = line.time
        self.token = token
        self.process = process
    }
}

/// The text of a stamped line, in its session's folder; when this file is lost, nothing else is.
package struct StampedLine: Sendable, Hashable, Codable {
    package var token: String
    package var line: String
    package var directory: String?
}

/// What a line did to names and images, kept in `index.json` with the change itself.
///
/// So either both the change and its record are there or neither, and no second write is needed.
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

    var isEmpty: Bool { moves.isEmpty && arrived.isEmpty && departed.isEmpty }
}

/// Whether a session's journal, by its path, has a line that carries a token; one that is not there has none.
package typealias JournalSearch = @Sendable (_ journal: String, _ token: String) -> Bool

/// Stamps what this process changes with the line that does it.
package final class WriteAhead: Sendable {
    private struct State {
        var line: LineUnderWay?
        var token: String?
        var count = 0
    }

    private let paths: StorePaths
    private let ingest: IngestFolder
    private let journalHolds: JournalSearch
    private let state = Mutex(State())

    init(paths: StorePaths, ingest: IngestFolder, journalHolds: @escaping JournalSearch) {
        self.paths = paths
        self.ingest = ingest
        self.journalHolds = journalHolds
    }

    /// Says which line is being carried out; `nil` when no line makes the changes.
    package func begin(_ line: LineUnderWay?) { state.withLock { $0.line = line } }

    /// The stamp for a change that is about to be made; `nil` where no line is under way.
    func stamp() throws(ShaleError) -> LineStamp? {
        guard let line = state.withLock({ $0.line }) else { return nil }
        let process = try ingest.ownName()
        let (token, isNew) = state.withLock { state in
            if let token = state.token { return (token, false) }
            state.count += 1
            let token = "\(process)-\(state.count)"
            state.token = token
            return (token, true)
        }
        if isNew { note(line, token) }
        return LineStamp(line, token: token, process: process)
    }

    // MARK: Words

    /// The size in bytes after which the file of texts is emptied: each text is needed only for a short time.
    private static let mostWords: Int64 = 64 << 10

    private func words(in session: String) -> String { "\(paths.sessions)/\(session)/underway" }

    private func note(_ line: LineUnderWay, _ token: String) {
        let words = StampedLine(token: token, line: line.line, directory: line.directory)
        guard (try? SessionFolder.check(line.session)) != nil, let bytes = try? OCIDocument.encode(words) else {
            return
        }
        mkdir("\(paths.sessions)/\(line.session)", 0o700)
        Logger.store.attempt("keep the words of the line under way") {
            let file = try OwnedFD.open(self.words(in: line.session), O_WRONLY | O_CREAT | O_APPEND)
            if try FileStatus.of(file).size > Self.mostWords { ftruncate(file.raw, 0) }
            try file.write(Array(bytes) + [UInt8(ascii: "\n")])
        }
    }

    /// The words of a stamped line; `nil` where they are lost.
    package func line(of stamp: LineStamp) -> StampedLine? {
        guard let bytes = try? WholeFile.read(words(in: stamp.session), limit: 1 << 20) else { return nil }
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).reversed().lazy
            .compactMap { try? decoder.decode(StampedLine.self, from: Data($0)) }.first { $0.token == stamp.token }
    }

    /// The token of what was stamped since this was last asked, for the journal; `nil` where nothing was.
    package func takeToken() -> String? {
        state.withLock { state in
            defer { state.token = nil }
            return state.token
        }
    }

    /// Whether the process that wrote a stamp has ended: its line will not be continued.
    package func isCutOff(_ stamp: LineStamp) -> Bool { !ingest.isOwned(stamp.process) }

    /// The stamped changes of other processes, without those that are in their session's journal.
    func unfinished(_ all: [StampedChanges], butOf own: LineStamp?) -> [StampedChanges] {
        all.filter { !$0.isEmpty && $0.stamp.process != own?.process && !isFinished($0.stamp) }
    }

    /// Whether the journal of its session has a stamped line.
    package func isFinished(_ stamp: LineStamp) -> Bool {
        guard (try? SessionFolder.check(stamp.session)) != nil else { return true }
        return journalHolds("\(paths.sessions)/\(stamp.session)/journal", stamp.token)
    }
}
