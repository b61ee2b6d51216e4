import Basics
import FoundationEssentials
import Layers
import OCI

/// A session in one file: a tar with the session's folder, how its images were made, and an OCI layout of them.
///
/// `session.json` comes first, `end` last: an archive without it is incomplete. The same session makes the same file.
enum SessionArchive {
    struct Header: Codable {
        var format = "shale-session"
        var version = 1
        var name: String
    }

    static let header = "session.json"
    static let journal = "journal"
    static let variables = "variables"
    /// Images that listings show; named where the session moved the name.
    static let listed = "index.json"
    /// Images that only the session can bring back.
    static let retained = "held.json"
    static let blobs = "blobs/sha256/"
    static let provenance = "provenance/"
    static let end = "end"

    /// Bytes that a document of the archive may have; the journal may be larger.
    static let largestDocument = 64 << 20
    static let largestJournal = 1 << 30

    static func file(_ path: String, size: Int64 = 0) -> TarEntry {
        var entry = TarEntry(path: Array(path.utf8), kind: .file)
        entry.size = size
        return entry
    }
}
