package import Basics
import Glibc
import Linux
package import Stores

/// Renames and removes whole sessions.
///
/// Their images are removed by the collection.
package enum SessionFolders {
    /// Renames a session.
    ///
    /// Throws `conflict` when the new name exists, and `inUse` when another process uses the session.
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

    /// Removes a session's journal and states.
    ///
    /// Its images stay until they are pruned.
    ///
    /// Throws `inUse` when another process uses the session.
    package static func remove(_ name: String, in sessions: SessionStore) throws(ShaleError) {
        try SessionFolder.check(name)
        try withoutOthers(name, in: sessions) { () throws(ShaleError) in
            try sessions.forgetLines(of: name)
            // After the rename the session is gone, even when the removal takes long.
            let aside = try sessions.newScratchPath()
            guard Linux.rename(sessions.path(of: name), aside) == 0 else {
                throw SystemCallError("rename", path: name).shaleError("session \(name)")
            }
            try translating("session \(name)") { try FileTree.remove(aside) }
        }
    }

    /// Runs `body` while no other process uses the session or can enter it.
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
