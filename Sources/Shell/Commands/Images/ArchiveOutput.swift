import Basics
import Glibc
import Layers
import Linux
import Rendering

/// Where `save` and `export` put their archive: a file, which is there whole or not at all, or stdout.
enum ArchiveOutput {
    /// Calls `body` with the place to write to; a file gets its name when all is there.
    static func write(
        to path: String?, doing what: String, mode: UInt32 = 0o600, _ shell: ShellContext,
        _ body: (@escaping ByteSink) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard let path, path != "-" else {
            let console = shell.console
            return try body { bytes throws(ShaleError) in
                console.write(Array(bytes), to: .output)
                try console.checkOutput()
            }
        }
        try check(path, what)
        let target: UnnamedFile
        do throws(SystemCallError) { target = try UnnamedFile(for: path, mode: mode, followingLink: true) } catch {
            throw error.shaleError(path)
        }
        try body { bytes throws(ShaleError) in
            do throws(SystemCallError) { try target.descriptor.write(bytes) } catch { throw error.shaleError(path) }
        }
        do throws(SystemCallError) { try target.put() } catch { throw error.shaleError(path) }
    }

    /// Docker's `validateOutputPath`.
    private static func check(_ path: String, _ what: String) throws(ShaleError) {
        let slash = path.lastSlash
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let parent = try? FileStatus.of(hostPath: folder, followingLink: true), parent.kind == .directory else {
            throw ShaleError(
                .notFound, "failed to \(what): invalid output path: directory \"\(folder)\" does not exist")
        }
        guard let status = try? FileStatus.of(hostPath: path, followingLink: true) else { return }
        switch status.kind {
        case .directory:
            throw ShaleError(.invalid, "failed to \(what): invalid output path: \"\(path)\" must be a file")
        case .characterDevice:
            throw ShaleError(.invalid, "failed to \(what): cannot write to a character device file")
        case .blockDevice:
            throw ShaleError(.invalid, "failed to \(what): cannot write to a device file")
        default: return
        }
    }
}
