import Basics
import Glibc
import Linux
import OCI

/// Creates and recognizes the folder of a store.
enum StoreLayout {
    /// The fixed content of `oci-layout` (image-spec v1.1, image-layout.md).
    static let words = "{\"imageLayoutVersion\":\"1.0.0\"}"

    /// The result of preparing a home.
    struct State {
        var isNew = false
        /// Whether other users could read it until now.
        var privacy = HomePrivacy.Outcome.wasPrivate
        /// The error for writes; `nil` when the home can be written.
        ///
        /// It can be read in both cases.
        var unwritable: ShaleError?
    }

    /// Creates the layout when it is missing.
    static func prepare(_ paths: StorePaths) throws(ShaleError) -> State {
        try refuseShared(paths.home)
        try HomeOwner.refuseForeign(paths.home)
        if access(paths.layoutFile, R_OK) == 0 {
            guard access(paths.home, W_OK) == 0 else {
                return State(unwritable: unwritable(paths.home, SystemCallError("access")))
            }
            try recognise(paths)
            return State(privacy: HomePrivacy.mend(paths))
        }
        do throws(SystemCallError) {
            try create(paths)
        } catch {
            throw unwritable(paths.home, error)
        }
        return State(isNew: true)
    }

    /// Throws `invalid` for a folder that all users share.
    ///
    /// Called before anything is created.
    static func refuseShared(_ home: String) throws(ShaleError) {
        guard !isShared(home) else {
            throw ShaleError(
                .invalid, "home \(home.visible): all users share this folder", hint: "choose another with --home")
        }
    }

    /// Whether a folder is shared by all users (`/tmp`) or is the root.
    ///
    /// A home would close such a folder to other users.
    private static func isShared(_ path: String) -> Bool {
        guard let status = try? FileStatus.of(hostPath: path, followingLink: true) else { return false }
        let root = try? FileStatus.of(hostPath: "/")
        return status.permissions & 0o1000 != 0 || status.identity == root?.identity
    }

    private static func create(_ paths: StorePaths) throws(SystemCallError) {
        try makeFolders(above: paths.home)
        let lock = try FileLock.waiting(on: paths.lock, exclusive: true)
        defer { withExtendedLifetime(lock) {} }
        if access(paths.layoutFile, R_OK) == 0 { return }
        for folder in paths.folders { try makeFolder(folder.path, folder.mode) }
        if access(paths.index, F_OK) != 0 {
            let text = "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociIndex)\",\"manifests\":[]}"
            try WholeFile.replace(paths.index, with: Array(text.utf8), mode: 0o600)
        }
        _ = HomePrivacy.mend(paths)
        // This file is written last: where it exists, the rest exists too.
        try WholeFile.replace(paths.layoutFile, with: Array(words.utf8), mode: 0o600)
    }

    /// Adds the folders that a layout of another tool lacks.
    ///
    /// Throws `invalid` when `oci-layout` is not of version 1.
    private static func recognise(_ paths: StorePaths) throws(ShaleError) {
        if access(paths.ingest, F_OK) == 0, access(paths.containerNames, F_OK) == 0 { return }
        do throws(SystemCallError) {
            let bytes = try WholeFile.read(paths.layoutFile, limit: 4096)
            let document = try? JSONDocument(parsing: bytes, naming: paths.layoutFile)
            guard let version = document?["imageLayoutVersion"]?.string, version.hasPrefix("1.") else {
                throw SystemCallError("read", path: paths.layoutFile, errno: EINVAL)
            }
            for folder in paths.folders { try makeFolder(folder.path, folder.mode) }
        } catch {
            if error.errno == EINVAL {
                throw ShaleError(.invalid, "home \(paths.home)", cause: "its oci-layout is not one of version 1")
            }
            throw unwritable(paths.home, error)
        }
    }

    private static func makeFolders(above home: String) throws(SystemCallError) {
        var done = home.hasPrefix("/") ? "" : "."
        for part in home.split(separator: "/") {
            done += "/" + part
            try makeFolder(done)
        }
    }

    private static func makeFolder(_ path: String, _ mode: UInt32 = 0o755) throws(SystemCallError) {
        if path.withPath({ mkdir($0, mode) }) == -1, errno != EEXIST {
            // A parent folder that may not be searched may still contain the home; only a missing parent is an error.
            let error = errno
            if access(path, F_OK) != 0 { throw SystemCallError("mkdir", path: path, errno: error) }
        }
    }

    private static func unwritable(_ home: String, _ error: SystemCallError) -> ShaleError {
        ShaleError(
            error.shaleError("").code, "home \(home): cannot be written", cause: error.reason,
            hint: "choose another with --home")
    }
}
