import Basics
import Glibc
import Images
import Linux

/// A path of `cp` as it was written, with what its end says.
struct CopyPath: Sendable, Equatable {
    /// Absolute and clean.
    let path: String
    /// Ends in `/` or `/.`: must be a directory.
    let assertsDirectory: Bool
    /// Ends in `/.`: what is in the directory, not the directory.
    let isContents: Bool

    init(_ text: String, relativeTo base: String) {
        path = ImagePath.clean(text, relativeTo: base)
        isContents = text == "." || text.hasSuffix("/.")
        assertsDirectory = isContents || text.hasSuffix("/")
    }

    var name: String { path.pathParts.last.map(String.init) ?? "" }
    var parent: String { "/" + path.pathParts.dropLast().joined(separator: "/") }
}

/// One side of a copy: a root, and the words for what goes wrong there.
struct CopySide: Sendable {
    let root: RootDirectory
    /// Put before a path below `root` to say it to the user; the host path of a mount that is its own root.
    let prefix: String
    /// The container's or image's name; `nil` for the host.
    let name: String?
    /// Docker's words when nothing may be written here.
    var refusal: String?
    /// The stopped container whose own files these are.
    var stopped: String?

    /// A source that is not there, in docker's words.
    func missing(_ path: String) -> ShaleError {
        if let name { return ShaleError(.notFound, "Could not find the file \(path) in container \(name)") }
        return ShaleError(.notFound, "lstat \(path)", cause: "no such file or directory")
    }

    /// A failed look at a path in docker's words.
    func failure(_ error: SystemCallError, at path: String) -> ShaleError {
        if error.errno == ENOENT { return missing(path) }
        if error.errno == ENOTDIR { return name == nil ? ShaleError(.invalid, "not a directory") : missing(path) }
        return error.shaleError(name.map { "\($0):\(path)" } ?? path)
    }
}

/// A source found: where it lies and what it is.
struct CopySource {
    private(set) var side: CopySide
    /// Below the side's root.
    let path: String
    /// The name it takes in a directory.
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

    /// The same, read where `other` is written when both are one stopped container: two mounts of its files would hide
    /// that a file is copied onto itself.
    func reading(from other: CopySide) -> CopySource {
        guard let stopped = side.stopped, stopped == other.stopped else { return self }
        var source = self
        source.side = other
        return source
    }
}

/// A destination looked at: what is there, if anything.
struct CopyTarget {
    let side: CopySide
    /// Below the side's root, links at its end followed.
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
        // For a link, the path that it leads to is missing.
        let missing = target == path ? written.parent : parent
        if side.name != nil {
            throw written.assertsDirectory ? ShaleError(.notFound, "no such directory") : side.missing(missing)
        }
        throw ShaleError(.notFound, "invalid output path: directory \"\(missing)\" does not exist")
    }

    var isDirectory: Bool { kind == .directory }

    /// Throws docker's words for a device and for a pipe of the host, which a file would replace and which other
    /// programs use.
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

    /// Where a source goes, docker's table; `merges` when it is what is in a directory that goes into another.
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
