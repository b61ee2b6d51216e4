import Basics
import Glibc
import Images
import Linux

/// A path of `cp`, and the meaning of its end.
struct CopyPath: Sendable, Equatable {
    /// The absolute clean path.
    let path: String
    /// Whether it ends in `/` or `/.` and must be a directory.
    let assertsDirectory: Bool
    /// Whether it ends in `/.` and stands for the content of the directory.
    let isContents: Bool

    init(_ text: String, relativeTo base: String) {
        path = ImagePath.clean(text, relativeTo: base)
        isContents = text == "." || text.hasSuffix("/.")
        assertsDirectory = isContents || text.hasSuffix("/")
    }

    var name: String { path.pathParts.last.map(String.init) ?? "" }
    var parent: String { "/" + path.pathParts.dropLast().joined(separator: "/") }
}

/// One side of a copy: a root, and the wording of errors there.
struct CopySide: Sendable {
    let root: RootDirectory
    /// The prefix of paths below `root` in messages: the host path of a mount that is used as a root.
    let prefix: String
    /// The name of the container or image; `nil` for the host.
    let name: String?
    /// The error in docker's wording when nothing may be written here.
    var refusal: String?
    /// The stopped container of these files.
    var stopped: String?

    /// The error in docker's wording for a missing source.
    func missing(_ path: String) -> ShaleError {
        if let name { return ShaleError(.notFound, "Could not find the file \(path) in container \(name)") }
        return ShaleError(.notFound, "lstat \(path)", cause: "no such file or directory")
    }

    /// The error in docker's wording for a path that cannot be read.
    func failure(_ error: SystemCallError, at path: String) -> ShaleError {
        if error.errno == ENOENT { return missing(path) }
        if error.errno == ENOTDIR { return name == nil ? ShaleError(.invalid, "not a directory") : missing(path) }
        return error.shaleError(name.map { "\($0):\(path)" } ?? path)
    }
}

/// A found source: its place and its kind.
struct CopySource {
    private(set) var side: CopySide
    /// The path below the root of the side.
    let path: String
    /// The name of the copy in a directory.
    let name: String
    let isDirectory: Bool
    let isContents: Bool
    let follows: Bool

    init(_ written: CopyPath, at path: String, on side: CopySide, followsLinks: Bool) throws(ShaleError) {
        self.side = side
        self.path = path
        follows = followsLinks || written.assertsDirectory
        isContents = written.isContents || written.name.isEmpty
        name = written.name
        do throws(SystemCallError) {
            let status = try follows ? side.root.resolvedStatus(path) : side.root.status(path)
            isDirectory = status.kind == .directory
        } catch {
            if error.errno == ENOENT, follows, let target = try? side.root.readLink(path) {
                throw side.missing(ImagePath.clean(target, relativeTo: written.parent))
            }
            throw side.failure(error, at: written.path)
        }
        if written.assertsDirectory, !isDirectory { throw ShaleError(.invalid, "not a directory") }
    }

    /// The source, read through the mount of `other` when both are the same stopped container.
    ///
    /// With two mounts it could not be seen that a file is copied onto itself.
    func reading(from other: CopySide) -> CopySource {
        guard let stopped = side.stopped, stopped == other.stopped else { return self }
        var source = self
        source.side = other
        return source
    }
}

/// A destination, and the file that is there.
struct CopyTarget {
    let side: CopySide
    /// The path below the root of the side, after links at its end were followed.
    let path: String
    let kind: FileStatus.Kind?
    let assertsDirectory: Bool

    init(_ written: CopyPath, at path: String, on side: CopySide) throws(ShaleError) {
        self.side = side
        assertsDirectory = written.assertsDirectory
        var kind: FileStatus.Kind?
        var target = path
        do throws(SystemCallError) {
            target = try side.root.pathBehindLinks(path)
            kind = try side.root.status(target).kind
        } catch {
            guard error.errno == ENOENT else { throw side.failure(error, at: written.path) }
        }
        self.path = target
        self.kind = kind
        guard kind == nil else { return }
        let parent = "/" + target.pathParts.dropLast().joined(separator: "/")
        if (try? side.root.resolvedStatus(parent))?.kind == .directory { return }
        // For a link it is its target that is missing.
        let missing = target == path ? written.parent : parent
        if side.name != nil {
            throw written.assertsDirectory ? ShaleError(.notFound, "no such directory") : side.missing(missing)
        }
        throw ShaleError(.notFound, "invalid output path: directory \"\(missing)\" does not exist")
    }

    var isDirectory: Bool { kind == .directory }

    /// Throws an error in docker's wording for a device or pipe of the host, which other programs use, and which a file
    /// would replace.
    func requireFile(named place: CopyOperand) throws(ShaleError) {
        let what: String
        switch kind {
        case .characterDevice, .blockDevice: what = "got a device"
        case .fifo where side.name == nil: what = "got a pipe"
        case .socket where side.name == nil: what = "got a socket"
        default: return
        }
        let path =
            switch place {
            case .host(let path), .inside(_, let path): path
            case .stream: "-"
            }
        throw ShaleError(
            .invalid, "destination \"\(path)\" must be a directory or a regular file", cause: what)
    }

    /// The path of the copy by docker's rules.
    ///
    /// `merges` says that the content of a directory is copied into another.
    func place(of source: CopySource) throws(ShaleError) -> (path: String, merges: Bool) {
        if isDirectory {
            if source.isDirectory, source.isContents { return (path, true) }
            return (path == "/" ? "/\(source.name)" : "\(path)/\(source.name)", false)
        }
        if kind != nil {
            if assertsDirectory { throw ShaleError(.notFound, "no such directory") }
            if source.isDirectory { throw ShaleError(.conflict, "cannot copy directory") }
            return (path, false)
        }
        if !source.isDirectory, assertsDirectory { throw ShaleError(.notFound, "no such directory") }
        return (path, false)
    }
}
