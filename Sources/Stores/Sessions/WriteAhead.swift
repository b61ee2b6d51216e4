package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
package import OCI
import Synchronization

/// A session's line that is running, as its journal will contain it.
package struct LineUnderWay: Sendable, Hashable {
    package var session: String
    /// The typed line, with secrets masked.
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

/// The stamp of a change: it is stored in the same file as the change and says which line made it, before the session's
/// journal contains the line.
///
/// It does not contain the line's text, because that file may be read by others.
package struct LineStamp: Sendable, Hashable, Codable {
    package var session: String
    package var time: Timestamp
    /// The line's journal entry has the same token.
    ///
    /// Without such an entry the line is running or was interrupted.
    package var token: String
    /// The process that wrote it, by the name of its folder in `ingest`.
    package var process: String

    init(_ line: LineUnderWay, token: String, process: String) {
        session = line.session
        time = line.time
        self.token = token
        self.process = process
    }
}

/// The text of a stamped line, in the session's folder.
///
/// When it is lost, only the text is missing from the journal.
package struct StampedLine: Sendable, Hashable, Codable {
    package var token: String
    package var line: String
    package var directory: String?
}

/// The changes of a line to names and images, stored in `index.json` together with the changes themselves.
///
/// So either the change and its stamp are stored or neither, with a single write.
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

/// Returns whether the journal at a path contains an entry with a token; false for a missing journal.
///
/// Throws the error of a journal that cannot be read.
package typealias JournalSearch = @Sendable (_ journal: String, _ token: String) throws(ShaleError) -> Bool

/// Stamps the changes of this process with the line that makes them.
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

    /// Sets the line that is running; `nil` when no line makes the changes.
    package func begin(_ line: LineUnderWay?) { state.withLock { $0.line = line } }

    /// The stamp for the next change; `nil` when no line is running.
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

    /// The size in bytes after which the file of texts is emptied.
    ///
    /// Each text is needed only for a short time.
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

    /// The text of a stamped line; `nil` when it is lost.
    package func line(of stamp: LineStamp) -> StampedLine? {
        guard let bytes = try? WholeFile.read(words(in: stamp.session), limit: 1 << 20) else { return nil }
        let decoder = JSONDecoder()
        return bytes.split(separator: UInt8(ascii: "\n")).reversed().lazy
            .compactMap { try? decoder.decode(StampedLine.self, from: Data($0)) }.first { $0.token == stamp.token }
    }

    /// The token of the stamps since the last call, for the journal; `nil` when there were none.
    package func takeToken() -> String? {
        state.withLock { state in
            defer { state.token = nil }
            return state.token
        }
    }

    /// Whether the process that wrote a stamp has ended.
    package func isCutOff(_ stamp: LineStamp) -> Bool { !ingest.isOwned(stamp.process) }

    /// The stamped changes of other processes that their session's journal does not contain yet.
    ///
    /// Those whose journal cannot be read stay.
    func unfinished(_ all: [StampedChanges], butOf own: LineStamp?) -> [StampedChanges] {
        all.filter { changes in
            guard !changes.isEmpty, changes.stamp.process != own?.process else { return false }
            return Logger.store.attempt("look for a line in a journal") { () throws(ShaleError) in
                try !isFinished(changes.stamp)
            } ?? true
        }
    }

    /// Whether a session's journal contains a stamped line.
    ///
    /// Throws the error of a journal that cannot be read.
    package func isFinished(_ stamp: LineStamp) throws(ShaleError) -> Bool {
        guard (try? SessionFolder.check(stamp.session)) != nil else { return true }
        return try journalHolds("\(paths.sessions)/\(stamp.session)/journal", stamp.token)
    }
}
