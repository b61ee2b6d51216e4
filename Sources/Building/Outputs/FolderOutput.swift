package import Basics
import Containers
import Glibc
import Images
import Linux
package import OCI
import Stores

// `build -o type=local`: writes an image's files into a folder of the host.
extension BuildEngine {
    /// Writes an image's files into a folder.
    ///
    /// Other files in the folder are kept.
    ///
    /// A new folder appears only when it is complete. In an existing folder all files are first written to a temporary
    /// folder, then each is renamed into place. The files belong to the user who runs shale, as in buildx. Throws
    /// `conflict`
    /// when a file would replace a directory or a directory a file, before anything is changed; `cancelled`; and what
    /// reading
    /// or writing throws.
    package func writeFiles(
        of id: Digest, to written: String, _ operation: OperationContext
    ) throws(ShaleError) {
        // With a slash at its end a new folder would be its own parent.
        var path = written
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        let tree = try images.mountedTree(of: store.images.image(id))
        if let status = try? FileStatus.of(hostPath: path, followingLink: true) {
            guard status.kind == .directory else {
                throw ShaleError(.conflict, "destination directory \(path.visible) is a file")
            }
            Self.sweepAside(in: path)
            let aside = "\(path)/\(Self.asidePrefix)\(getpid())-\(UInt32.random(in: 0 ... .max))~"
            defer { _ = try? FileTree.remove(aside) }
            try fill(aside, from: tree, operation)
            try translating(path.visible) {
                let (staged, target) = (try RootDirectory(hostPath: aside), try RootDirectory(hostPath: path))
                let merge = FolderMerge(from: staged, to: target)
                if let place = try merge.obstacle() { throw SystemCallError("rename", path: place, errno: EEXIST) }
                try merge.run()
            }
            return
        }
        try translating(path.visible) { try Self.makeFolders(above: path) }
        let above = path.utf8.contains(UInt8(ascii: "/")) ? path.parentPath : "."
        Self.sweepAside(in: above, olderThan: 86_400)
        let aside = above.appendingPath("\(Self.asidePrefix)\(getpid())-\(UInt32.random(in: 0 ... .max))~")
        do throws(ShaleError) {
            try fill(aside, from: tree, operation)
            try translating(path.visible) { try Linux.check("rename", path: path) { rename(aside, path) } }
        } catch {
            _ = try? FileTree.remove(aside)
            throw error
        }
    }

    private static let asidePrefix = ".shale-output-"

    private func fill(
        _ folder: String, from tree: RootDirectory, _ operation: OperationContext
    ) throws(ShaleError) {
        try translating(folder) {
            try Linux.check("mkdir", path: folder) { mkdir(folder, CallersUmask.applied(to: 0o755)) }
        }
        var options = TreeCopyOptions()
        options.owner = .root
        let target = try translating(folder) { try RootDirectory(hostPath: folder) }
        try TreeCopy(from: tree, to: target, options: options).copy(
            "/", to: "/", cancellation: operation.cancellation)
    }

    private static func makeFolders(above path: String) throws(SystemCallError) {
        guard path.utf8.contains(UInt8(ascii: "/")) else { return }
        let above = path.parentPath
        guard (try? FileStatus.of(hostPath: above, followingLink: true)) == nil else { return }
        try makeFolders(above: above)
        if mkdir(above, CallersUmask.applied(to: 0o755)) != 0, errno != EEXIST {
            throw SystemCallError("mkdir", path: above)
        }
    }

    /// Removes the temporary folders of processes that were killed.
    ///
    /// In a folder that others use too, only those of this user that are older than `seconds`: the process can be of
    /// another machine or namespace.
    private static func sweepAside(in path: String, olderThan seconds: Int64 = 0) {
        for name in (try? RootDirectory(hostPath: path).names(in: "/")) ?? [] where name.hasPrefix(asidePrefix) {
            guard let process = pid_t(name.dropFirst(asidePrefix.count).prefix { $0 != "-" }), process > 0,
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            if seconds > 0 {
                let status = try? FileStatus.of(hostPath: "\(path)/\(name)", followingLink: false)
                guard let status, status.uid == geteuid(),
                    status.modified.seconds < Timestamp.now().seconds.subtractingClamped(seconds)
                else { continue }
            }
            _ = try? FileTree.remove("\(path)/\(name)")
        }
    }
}

/// Moves everything below one folder into another folder on the same file system.
private struct FolderMerge {
    private let source: RootDirectory
    private let target: RootDirectory

    init(from source: RootDirectory, to target: RootDirectory) {
        self.source = source
        self.target = target
    }

    /// The first path where a directory would replace a file, or a file a directory; `nil` when there is none.
    func obstacle() throws(SystemCallError) -> String? {
        var found: String?
        try walk { path, isDirectory, there throws(SystemCallError) in
            if let there, (there.kind == .directory) != isDirectory { found = found ?? path }
            return isDirectory && there?.kind == .directory
        }
        return found
    }

    func run() throws(SystemCallError) {
        try walk { path, isDirectory, there throws(SystemCallError) in
            if isDirectory, there?.kind == .directory { return true }
            let from = try source.parent(of: path)
            let to = try target.parent(of: path)
            try from.directory.rename(from.name, to: to.name, in: to.directory)
            return false
        }
    }

    /// Calls `body` with each path below the source, and the status of the same path in the target.
    ///
    /// Enters a directory when `body` returns true.
    private func walk(
        _ body: (_ path: String, _ isDirectory: Bool, _ there: FileStatus?) throws(SystemCallError) -> Bool
    ) throws(SystemCallError) {
        var pending = [""]
        while let folder = pending.popLast() {
            for name in try source.names(in: folder.isEmpty ? "/" : folder) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                let isDirectory = try source.status(path).kind == .directory
                if try body(path, isDirectory, try? target.status(path)) { pending.append(path) }
            }
        }
    }
}
