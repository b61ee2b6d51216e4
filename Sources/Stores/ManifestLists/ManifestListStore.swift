package import Basics
import FoundationEssentials
import Glibc
import Linux
package import OCI

/// The manifest lists of a home, with a file for each, named by the digest of the list's reference.
package final class ManifestListStore: Sendable {
    private let folder: String
    private let lock: StoreLock

    init(paths: StorePaths, lock: StoreLock) {
        folder = paths.manifestLists
        self.lock = lock
    }

    /// The list with a reference; `nil` when there is none.
    ///
    /// Throws `corrupt` for a file that is no list, and what reading it throws.
    package func find(_ reference: Reference) throws(ShaleError) -> ManifestList? {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path(of: reference), limit: OCIDocument.largest)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error.shaleError("manifest list \(reference.familiar)")
        }
        return try OCIDocument.decode(
            ManifestList.self, from: Data(bytes), naming: "manifest list \(reference.familiar)", as: "manifest list")
    }

    /// Changes or creates a list under the store's lock; when `body` returns `nil` the list is removed.
    ///
    /// Throws what `body` and writing the file throw; the list then stays as it was.
    package func change(
        _ reference: Reference, _ body: (ManifestList?) throws(ShaleError) -> ManifestList?
    ) throws(ShaleError) {
        try lock.exclusively { () throws(ShaleError) in
            let old = try find(reference)
            let new = try body(old)
            if new == old { return }
            do throws(SystemCallError) {
                try write(new, as: reference)
            } catch {
                throw error.shaleError("manifest list \(reference.familiar)")
            }
        }
    }

    /// Removes a list, even a damaged one; returns whether there was one.
    ///
    /// Throws what taking the lock and removing the file throw.
    package func remove(_ reference: Reference) throws(ShaleError) -> Bool {
        try lock.exclusively { () throws(ShaleError) in
            do throws(SystemCallError) {
                try write(nil, as: reference)
                return true
            } catch {
                if error.errno == ENOENT { return false }
                throw error.shaleError("manifest list \(reference.familiar)")
            }
        }
    }

    private func write(_ list: ManifestList?, as reference: Reference) throws(SystemCallError) {
        let path = path(of: reference)
        guard let list else {
            try check("unlink", path: path) { unlink(path) }
            return try WholeFile.syncFolder(folder)
        }
        if mkdir(folder, 0o700) == -1, errno != EEXIST { throw SystemCallError("mkdir", path: folder) }
        // A list that is too large to be read again must not be written.
        guard let bytes = try? OCIDocument.encode(list), bytes.count <= OCIDocument.largest else {
            throw SystemCallError("write", path: path, errno: EFBIG)
        }
        try WholeFile.replace(path, with: Array(bytes))
    }

    private func path(of reference: Reference) -> String {
        "\(folder)/\(Digest.of(Array(reference.description.utf8)).hex).json"
    }
}
