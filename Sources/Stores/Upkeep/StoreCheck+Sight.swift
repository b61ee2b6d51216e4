import Basics
import Glibc
import Linux

// A file that cannot be opened is not called damaged, and is not repaired, because its content may be right.
extension StoreCheck {
    /// Throws, before anything is changed, when a file that says what is in the store cannot be opened.
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

    /// The bytes of a file; `nil` when it is missing or cannot be such a file.
    func seen(_ path: String, limit: Int = 64 << 20) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(path, limit: limit)
        } catch {
            if error.leavesUnseen { throw error.storeError(path, at: path) }
            return nil
        }
    }
}
