import Basics
import Glibc

/// Small files of the store's own, read and replaced whole.
package enum WholeFile {
    /// A host file's bytes.
    ///
    /// Throws the error of opening or reading, and `EFBIG` for more than `limit` bytes.
    package static func read(_ path: String, limit: Int = 64 << 20) throws(SystemCallError) -> [UInt8] {
        do throws(SystemCallError) {
            return try OwnedFD.open(path, O_RDONLY).readAll(limit: limit)
        } catch {
            throw SystemCallError(error.call, path: path, errno: error.errno)
        }
    }

    /// Writes to a temporary file, syncs it, renames it to `path`, and syncs the folder: a reader sees the old bytes or
    /// the new ones.
    ///
    /// Without `syncing` that holds for readers and for a killed process, and not for a power cut. Throws the error of
    /// writing, syncing or renaming.
    package static func replace(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, syncing: Bool = true
    ) throws(SystemCallError) {
        let folder = parent(of: path)
        let aside = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max))~"
        do throws(SystemCallError) {
            let file = try OwnedFD.open(aside, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try file.write(bytes)
            if syncing { try file.sync() }
            try check("rename", path: path) { rename(aside, path) }
        } catch {
            unlink(aside)
            throw SystemCallError(error.call, path: path, errno: error.errno)
        }
        if syncing { try syncFolder(folder) }
    }

    /// Syncs a folder, so that a rename or unlink in it survives a power cut.
    ///
    /// Throws the error of opening or syncing the folder.
    package static func syncFolder(_ path: String) throws(SystemCallError) {
        try OwnedFD.open(path, O_RDONLY | O_DIRECTORY).sync()
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastSlash else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
