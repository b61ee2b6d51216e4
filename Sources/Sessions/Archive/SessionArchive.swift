import Basics
import FoundationEssentials
import Layers
import OCI

/// The format of a session in one file: a tar with the session's folder, the provenance of its images, and an OCI
/// layout
/// of these images.
///
/// The first entry is `session.json`, the last is `end`: an archive without `end` is incomplete. The same session
/// always
/// gives the same file.
enum SessionArchive {
    struct Header: Codable {
        var format = "shale-session"
        var version = 1
        var name: String
    }

    static let header = "session.json"
    static let journal = "journal"
    static let variables = "variables"
    /// Images that listings show, with a name when the session moved that name.
    static let listed = "index.json"
    /// Images that only the session can bring back.
    static let retained = "held.json"
    static let blobs = "blobs/sha256/"
    static let provenance = "provenance/"
    static let end = "end"

    /// The largest document in an archive, in bytes.
    ///
    /// The journal may be larger.
    static let largestDocument = 64 << 20
    static let largestJournal = 1 << 30

    static func file(_ path: String, size: Int64 = 0) -> TarEntry {
        var entry = TarEntry(path: Array(path.utf8), kind: .file)
        entry.size = size
        return entry
    }
}
