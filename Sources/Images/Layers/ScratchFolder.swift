package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import Stores

/// A folder for files that are needed only while a step runs; removed with its last reference.
///
/// It lies in the store's ingest folder, so that what a crash leaves there is swept like any other leftover.
package final class ScratchFolder: Sendable {
    package let path: String
    package let root: RootDirectory

    /// Makes an empty folder.
    ///
    /// Throws what making the folder throws.
    package init(in store: Store) throws(ShaleError) {
        path = try store.newScratchPath()
        do throws(SystemCallError) {
            let folder = path
            try check("mkdir", path: folder) { mkdir(folder, 0o700) }
            root = try RootDirectory(hostPath: folder)
        } catch {
            throw error.shaleError("making a scratch folder")
        }
    }

    deinit { Logger.store.attempt("remove a scratch folder") { try FileTree.remove(path) } }

    /// Writes a file into it, permissions 0644.
    ///
    /// Throws what writing the file throws.
    package func write(_ bytes: [UInt8], as name: String) throws(ShaleError) {
        do throws(SystemCallError) {
            try WholeFile.replace("\(path)/\(name)", with: bytes, mode: 0o644)
        } catch {
            throw error.shaleError("writing \(name)")
        }
    }
}
