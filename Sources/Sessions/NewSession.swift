package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
package import Stores

/// A new session that begins with states.
///
/// It is made in a temporary folder and renamed, so that it is complete or does not exist.
package struct NewSession {
    private let name: String
    private let sessions: SessionStore

    /// Throws `invalid` for a name that a session cannot have, `conflict` for one that exists.
    package init(named name: String, in sessions: SessionStore) throws(ShaleError) {
        self.name = name
        self.sessions = sessions
        try SessionFolder.check(name)
        guard try !sessions.names().contains(name) else { throw Self.taken(name) }
    }

    static func taken(_ name: String) -> ShaleError {
        ShaleError(.conflict, "session \(name.visible) exists already", hint: "session switch \(name.visible)")
    }

    /// Makes the session with a journal.
    ///
    /// Its roots are the images that the journal's states need.
    ///
    /// Throws `conflict` when a session of that name was made meanwhile, and the file system's error when its files
    /// cannot be
    /// written.
    package func make(_ entries: [JournalEntry]) throws(ShaleError) {
        var roots = SessionRoots()
        for change in entries.flatMap({ $0.changes ?? [] }) { roots.formUnion(change.roots) }
        try make([(name: "journal", bytes: try Journal.bytes(entries))], roots: roots)
    }

    /// Makes the session with these files in its folder.
    ///
    /// Throws `conflict` when a session of that name was made meanwhile, and the file system's error when its files
    /// cannot be
    /// written.
    package func make(_ files: [(name: String, bytes: [UInt8])], roots: SessionRoots) throws(ShaleError) {
        let aside = try sessions.newScratchPath()
        let target = sessions.path(of: name)
        let files = files + [(name: SessionFolder.rootsName, bytes: Array(roots.text.utf8))]
        let name = self.name
        do throws(ShaleError) {
            try translating("session \(name)") {
                try check("mkdir", path: aside) { mkdir(aside, 0o700) }
                for file in files { try WholeFile.replace("\(aside)/\(file.name)", with: file.bytes) }
                // Fails when a session of that name was made meanwhile.
                try check("rename", path: target) { Linux.rename(aside, target) }
                try WholeFile.syncFolder(target)
            }
        } catch {
            Logger.session.attempt("remove a half-made session") { try FileTree.remove(aside) }
            if access("\(target)/journal", F_OK) == 0 { throw Self.taken(name) }
            throw error
        }
    }
}
