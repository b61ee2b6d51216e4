package import Basics
import Glibc
import Linux
package import Stores

/// What happens to whole sessions: their folders are renamed and removed, their images are the collector's business.
package enum SessionFolders {
    /// Throws `conflict` when the new name is taken, `inUse` when another shale is in the session.
    package static func rename(_ old: String, to new: String, in sessions: SessionStore) throws(ShaleError) {
        try SessionFolder.check(new)
        try withoutOthers(old, in: sessions) { () throws(ShaleError) in
            let from = sessions.path(of: old)
            let to = sessions.path(of: new)
            guard access(to, F_OK) != 0 else { throw NewSession.taken(new) }
            try sessions.forgetLines(of: old)
            guard Linux.rename(from, to) == 0 else {
                let error = SystemCallError("rename", path: to)
                if error.errno == ENOTEMPTY || error.errno == EEXIST { throw NewSession.taken(new) }
                throw error.shaleError("session \(old)")
            }
        }
    }

    /// Removes a session's journal and states; its images stay until they are pruned.
    ///
    /// Throws `inUse` when another shale is in the session.
    package static func remove(_ name: String, in sessions: SessionStore) throws(ShaleError) {
        try SessionFolder.check(name)
        try withoutOthers(name, in: sessions) { () throws(ShaleError) in
            try sessions.forgetLines(of: name)
            // The session is gone at once, even when the removal takes long.
            let aside = try sessions.newScratchPath()
            guard Linux.rename(sessions.path(of: name), aside) == 0 else {
                throw SystemCallError("rename", path: name).shaleError("session \(name)")
            }
            try translating("session \(name)") { try FileTree.remove(aside) }
        }
    }

    /// Runs `body` while no shale is in the session, and none can come in.
    private static func withoutOthers(
        _ name: String, in sessions: SessionStore, _ body: () throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard let lock = try sessions.folder(of: name).tryLock() else {
            throw ShaleError(
                .inUse, "session \(name.visible) is in use by another shale",
                hint: "session switch there to another first")
        }
        try body()
        withExtendedLifetime(lock) {}
    }
}
