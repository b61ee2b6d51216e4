import Glibc
import Linux

/// A home belongs to its owner: no other user can enter its folders or read its files.
///
/// Containers are not affected, whatever users they run as: what they see of the home is mounted, so they need no
/// access to the path that leads to it.
enum HomePrivacy {
    /// What others may do with a file or folder.
    private static let others: UInt32 = 0o077

    /// Takes from other users what an older shale left open to them; returns whether anything was.
    ///
    /// A home that is closed already costs two calls of `lstat`. The folder of blobs is closed last: interrupted, the
    /// next one goes on.
    static func mend(_ paths: StorePaths) -> Bool {
        let marks = [paths.home, paths.blobFolder].filter { isOpen($0) }
        if marks.isEmpty { return false }
        // This closes everything below it at once.
        close(paths.home)
        for folder in paths.folders.map(\.path) + [paths.volumes, paths.provenance] where folder != paths.blobFolder {
            close(folder)
        }
        for folder in [paths.home, paths.blobs, paths.provenance] { closeFiles(in: folder) }
        for name in (try? StoreFolder.names(paths.sessions)) ?? [] {
            close("\(paths.sessions)/\(name)")
            closeFiles(in: "\(paths.sessions)/\(name)")
        }
        close(paths.blobFolder)
        return marks.allSatisfy { !isOpen($0) }
    }

    private static func isOpen(_ path: String) -> Bool {
        guard let status = try? FileStatus.of(hostPath: path), status.kind == .directory else { return false }
        // What is another user's cannot be closed, except by root.
        return status.permissions & others != 0 && (status.uid == geteuid() || geteuid() == 0)
    }

    private static func close(_ path: String) {
        guard let status = try? FileStatus.of(hostPath: path), status.kind == .directory || status.kind == .regular,
            status.permissions & others != 0
        else { return }
        _ = path.withPath { chmod($0, mode_t(status.permissions & ~others)) }
    }

    private static func closeFiles(in folder: String) {
        for name in (try? StoreFolder.names(folder)) ?? [] {
            let path = "\(folder)/\(name)"
            if (try? FileStatus.of(hostPath: path))?.kind == .regular { close(path) }
        }
    }
}
