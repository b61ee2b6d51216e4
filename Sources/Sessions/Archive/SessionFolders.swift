package import Basics
import Glibc
import Linux
package import Stores

/// What happens to whole sessions: their folders are renamed and removed, their images are the collector's business.
package enum SessionArchive {
    /// Throws `conflict` when the new name is taken.
    package static func rename(_ old: String, to new: String, in store: Store) throws(ShaleError) {
        try SessionFolder.check(new)
        let from = "\(store.paths.sessions)/\(old)"
        let to = "\(store.paths.sessions)/\(new)"
        guard Glibc.rename(from, to) == 0 else {
            let error = SystemCallError("rename", path: to)
            if error.errno == ENOTEMPTY || error.errno == EEXIST {
                throw ShaleError(.conflict, "session \(new) exists already")
            }
            throw error.shaleError("session \(old)")
        }
    }

    /// Removes a session's journal and states; its images stay until they are pruned.
    package static func remove(_ name: String, in store: Store) throws(ShaleError) {
        try SessionFolder.check(name)
        try translating("session \(name)") { try FileTree.remove("\(store.paths.sessions)/\(name)") }
    }
}
