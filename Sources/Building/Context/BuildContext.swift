package import Basics
package import Dockerfiles
import FoundationEssentials
import Glibc
import Images
package import Linux
import OCI
package import Stores
import Synchronization

/// The files that a build may copy: a directory without the files that its ignore file excludes.
package final class BuildContext: Sendable {
    package let root: RootDirectory
    package let ignored: IgnoreList?

    /// The digests of its files from earlier builds; only for a directory of the host.
    let digests: FileDigests?
    /// The image to which the files belong, if any.
    let image: Digest?
    /// Keeps an unpacked context on disk while the context is in use.
    private let scratch: ScratchFolder?
    /// The directories as the walk before the first step found them.
    private let walked = Mutex<ContextSurvey?>(nil)

    package convenience init(root: RootDirectory, ignored: IgnoreList?) {
        self.init(root: root, ignored: ignored, holding: nil)
    }

    /// Uses the files of `root`; keeps the folder `scratch` while the context is in use.
    init(
        root: RootDirectory, ignored: IgnoreList?, holding scratch: ScratchFolder?, digests: FileDigests? = nil,
        image: Digest? = nil
    ) {
        self.image = image
        self.digests = digests
        self.root = root
        self.ignored = ignored
        self.scratch = scratch
    }

    /// A context that was unpacked from a tar or a git repository, or an empty folder.
    init(scratch: ScratchFolder) throws(ShaleError) {
        root = scratch.root
        digests = nil
        image = nil
        self.scratch = scratch
        ignored = try Self.list(
            try Self.ignoreFile { () throws(SystemCallError) in
                try scratch.root.contents(of: ".dockerignore", limit: Self.largestIgnoreFile)
            })
    }

    /// The largest ignore file that is read, in bytes.
    private static let largestIgnoreFile = 1 << 20

    /// An ignore file's bytes; `nil` only where there is none.
    ///
    /// Throws for one that cannot be read or is too large: what it keeps out of the image may be secret.
    private static func ignoreFile(_ read: () throws(SystemCallError) -> [UInt8]) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try read()
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error.cancelled ?? error.shaleError("error checking context: .dockerignore")
        }
    }

    private static func list(_ text: [UInt8]?) throws(ShaleError) -> IgnoreList? {
        guard let text else { return nil }
        do throws(ShaleError) {
            return try IgnoreList(parsing: String(pathBytes: text))
        } catch {
            throw ShaleError(error.code, "error checking context: \(error.message)")
        }
    }

    /// Opens a directory with its `.dockerignore`, or with `NAME.dockerignore` beside the Dockerfile if that exists.
    ///
    /// With a cache, files that did not change since an earlier build are not read again.
    ///
    /// Throws the file system's error when the directory cannot be opened, and the error of an ignore file that cannot
    /// be read or parsed.
    package convenience init(
        directory: String, dockerfile: String? = nil, cache: CacheStore? = nil
    ) throws(ShaleError) {
        let root = try translating("unable to prepare context: path \"\(directory)\"") {
            try RootDirectory(hostPath: directory)
        }
        var text: [UInt8]?
        if let dockerfile {
            text = try Self.ignoreFile { () throws(SystemCallError) in
                try WholeFile.read("\(dockerfile).dockerignore", limit: Self.largestIgnoreFile)
            }
        }
        if text == nil {
            text = try Self.ignoreFile { () throws(SystemCallError) in
                try root.contents(of: ".dockerignore", limit: Self.largestIgnoreFile)
            }
        }
        self.init(
            root: root, ignored: try Self.list(text), holding: nil,
            digests: cache.flatMap { FileDigests(folder: root, $0) })
    }

    /// Whether the ignore file excludes a path.
    ///
    /// Paths have no leading slash.
    ///
    /// As in BuildKit, the last line that matches the path or a directory above it decides.
    package func isIgnored(_ path: String) -> Bool { ignoring(path) != nil }

    /// The line of the ignore file that excludes a path or a directory above it; `nil` when none does.
    package func ignoring(_ path: String) -> IgnoreMatch? { path.isEmpty ? nil : ignored?.matches(path) }

    /// Whether a later `!` line may include something below an excluded directory.
    func mayHoldExceptions(_ directory: String) -> Bool { ignored?.mayMatchBelow(directory) ?? false }

    /// Whether a path is in the context: it is not excluded, or it is a directory that contains an included path.
    func holds(_ path: String) -> Bool {
        guard let status = try? root.resolvedStatus(path.isEmpty ? "/" : path) else { return false }
        guard isIgnored(path) else { return true }
        guard status.kind == .directory, mayHoldExceptions(path) else { return false }
        var isFound = false
        try? walk(from: path, until: { isFound }, listing: entries(of:), { _, _ in isFound = true })
        return isFound
    }

    /// Calls `body` with every path that is not excluded: parents before their children, names in byte order.
    ///
    /// Throws `denied` for a directory that may not be read, the file system's other errors, and what `body` throws.
    package func walk(
        from start: String = "", _ body: (_ path: String, _ status: FileStatus) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try walk(from: start, listing: entries(of:), body)
    }

    private func walk(
        from start: String = "", until isDone: () -> Bool = { false },
        listing: (_ directory: String) throws(ShaleError) -> [ContextSurvey.Entry],
        _ body: (_ path: String, _ status: FileStatus) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        var pending = [start]
        while let directory = pending.popLast() {
            var below: [String] = []
            for (name, status) in try listing(directory) {
                let path = directory.isEmpty ? name : "\(directory)/\(name)"
                let isOut = isIgnored(path)
                if !isOut { try body(path, status) }
                if isDone() { return }
                if status.kind == .directory, !isOut || mayHoldExceptions(path) { below.append(path) }
            }
            pending.append(contentsOf: below.reversed())
        }
    }

    /// Calls `body` with every path, and with the line of the ignore file that excludes it.
    ///
    /// Throws `denied` for a directory that may not be read, the file system's other errors, and what `body` throws.
    package func walkAll(
        _ body: (_ path: String, _ status: FileStatus, _ ignoredBy: IgnoreMatch?) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        var pending = [""]
        while let directory = pending.popLast() {
            var below: [String] = []
            for (name, status) in try entries(of: directory) {
                let path = directory.isEmpty ? name : "\(directory)/\(name)"
                try body(path, status, ignored?.matches(path))
                if status.kind == .directory { below.append(path) }
            }
            pending.append(contentsOf: below.reversed())
        }
    }

    /// The directories that `transferSize` read; `nil` after `forgetSurvey`.
    var survey: ContextSurvey? { walked.withLock { $0 } }

    /// Reads the directories again from now on.
    func forgetSurvey() { walked.withLock { $0 = nil } }

    /// The number of bytes that `docker build` would send: the length of a tar of the context.
    ///
    /// The directories that are read are kept, so that the lookups in the cache need not read them again.
    ///
    /// A walk that takes long tells how many bytes it found.
    ///
    /// Throws `denied` for a file or a directory that may not be read, `cancelled`, and the file system's other errors.
    package func transferSize(_ operation: OperationContext = OperationContext()) throws(ShaleError) -> Int64 {
        var total: Int64 = 1024
        var survey = ContextSurvey()
        let progress = CopyProgress("build context", operation)
        progress.begin("Listing")
        func list(_ directory: String) throws(ShaleError) -> [ContextSurvey.Entry] {
            try operation.cancellation.check()
            let entries = try entries(of: directory)
            survey.add(entries, of: directory)
            return entries
        }
        try walk(listing: list) { path, status throws(ShaleError) in
            total += 512
            progress.moved(status.kind == .regular ? status.size : 0)
            // An unreadable file must fail the build before the first step.
            if status.kind == .regular, status.permissions & 0o444 != 0o444 { try checkReadable(path) }
            if status.kind == .regular { total = total.addingClamped(status.size.inWholeBlocks) }
        }
        let seen = survey
        walked.withLock { $0 = seen }
        return total
    }

    private func checkReadable(_ path: String) throws(ShaleError) {
        do throws(SystemCallError) {
            _ = try root.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        } catch {
            guard error.errno == EACCES else { return }
            throw ShaleError(.denied, "error checking context: no permission to read from '\(path)'")
        }
    }

    private func entries(of directory: String) throws(ShaleError) -> [ContextSurvey.Entry] {
        do throws(SystemCallError) {
            return try DirectoryEntries.list(root.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        } catch {
            if error.errno == EACCES {
                throw ShaleError(
                    .denied,
                    "error checking context: no permission to read from '\(directory.isEmpty ? "." : directory)'")
            }
            throw error.shaleError("error checking context: \(directory)")
        }
    }
}
