import Basics
import Glibc
import Linux

// A file that the system lets nobody read may be whole: nothing is found wrong with it, and nothing repaired.
extension StoreCheck {
    /// Throws where a file that tells what is in the store cannot be opened, before anything is changed.
    func requireReadable() throws(ShaleError) {
        let paths = store.paths
        for path in [paths.layoutFile, paths.index, paths.retained] { try look(at: path) }
        for folder in [paths.blobs, paths.provenance] {
            for name in try StoreFolder.names(folder) { try look(at: "\(folder)/\(name)") }
        }
        for name in try StoreFolder.names(paths.layers) { try look(at: "\(paths.layers)/\(name)/index") }
        for id in try store.containers.identifiers() {
            let folder = store.containers.folder(id)
            for path in [folder.config, folder.events] { try look(at: path) }
        }
        for name in try store.sessionNames() {
            let folder = try store.session(name)
            for path in [folder.journal, folder.rootsFile] { try look(at: path) }
        }
    }

    private func look(at path: String) throws(ShaleError) {
        do throws(SystemCallError) {
            _ = try OwnedFD.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        } catch {
            if error.leavesUnseen { throw error.storeError(path, at: path) }
        }
    }

    /// A file's bytes, `nil` for one that is missing or cannot be a file of that kind.
    func seen(_ path: String, limit: Int = 64 << 20) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(path, limit: limit)
        } catch {
            if error.leavesUnseen { throw error.storeError(path, at: path) }
            return nil
        }
    }
}
