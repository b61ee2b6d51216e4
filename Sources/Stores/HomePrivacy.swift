import Diagnostics
import Glibc
import Linux
import Logging

/// A home is private: no other user can enter its folders or read its files.
///
/// This does not affect containers, whatever users they run as: what they see of the home is mounted, so they need no
/// access to the path above.
enum HomePrivacy {
    /// The permission bits of group and others.
    private static let others: UInt32 = 0o077

    /// What `mend` found.
    enum Outcome: Equatable {
        case wasPrivate
        /// Others could read it, and cannot any more.
        case closed
        /// Others can still enter this folder.
        case staysOpen(String)
    }

    /// Removes permissions that an earlier version gave to other users.
    ///
    /// A private home costs two calls of `lstat`. The blob folder is closed last, so that an interrupted run is
    /// repeated.
    static func mend(_ paths: StorePaths) -> Outcome {
        let marks = [paths.home, paths.blobFolder].filter { isOpen($0) }
        if marks.isEmpty { return .wasPrivate }
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
        return marks.first { isOpen($0) }.map { .staysOpen($0) } ?? .closed
    }

    private static func isOpen(_ path: String) -> Bool {
        guard let status = try? FileStatus.of(hostPath: path), status.kind == .directory else { return false }
        // Only root can close files of another user.
        return status.permissions & others != 0 && (status.uid == geteuid() || geteuid() == 0)
    }

    private static func close(_ path: String) {
        guard let status = try? FileStatus.of(hostPath: path), status.kind == .directory || status.kind == .regular,
            status.permissions & others != 0
        else { return }
        Logger.store.attempt("close \(path) to other users") { () throws(SystemCallError) in
            try check("chmod", path: path) { path.withPath { chmod($0, mode_t(status.permissions & ~others)) } }
        }
    }

    private static func closeFiles(in folder: String) {
        for name in (try? StoreFolder.names(folder)) ?? [] {
            let path = "\(folder)/\(name)"
            if (try? FileStatus.of(hostPath: path))?.kind == .regular { close(path) }
        }
    }
}
