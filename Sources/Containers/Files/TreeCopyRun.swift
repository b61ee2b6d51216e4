import Basics
import Diagnostics
import Dockerfiles
import Glibc
import Linux
import Logging

/// The state of one call of `TreeCopy.copy`.
struct TreeCopyRun {
    let source: RootDirectory
    let target: RootDirectory
    let options: TreeCopyOptions
    let cancellation: Cancellation
    var copied = CopiedTree()
    /// The current source path, for errors.
    var current = ""
    /// An error with docker's wording, which is thrown instead of the error of a system call.
    var refusal: ShaleError?
    /// The target directory of the top of the source.
    var topDirectory: FileStatus?

    private struct Directory {
        /// The path below the source root, and the path below the target root.
        var sourcePath: String
        var targetPath: String
        /// The path relative to the copied source, for `include`.
        var relative: String
        var status: FileStatus
        /// Whether it is not made yet, because `include` skipped it.
        ///
        /// It is made when something in it is included.
        var isPending: Bool
        var ancestors: [Int]
    }

    private var linked: [FileIdentity: String] = [:]
    private var directories: [Directory] = []
    /// The positions in `directories` of those whose metadata is set at the end, after their content is written.
    private var unfinished: [Int] = []

    init(source: RootDirectory, target: RootDirectory, options: TreeCopyOptions, cancellation: Cancellation) {
        self.source = source
        self.target = target
        self.options = options
        self.cancellation = cancellation
    }

    mutating func copyTop(_ sourcePath: String, to destination: String) throws(SystemCallError) {
        current = sourcePath
        let status =
            try options.followSourceLink ? source.resolvedStatus(sourcePath) : source.status(sourcePath)
        let destination = try resolvedDestination(destination)
        if options.makeParents { try makeParents(of: destination) }
        if status.kind == .directory {
            try copyTopDirectory(sourcePath, status, to: destination)
        } else {
            try copyTopFile(sourcePath, to: destination)
        }
    }

    private mutating func copyTopFile(_ sourcePath: String, to destination: String) throws(SystemCallError) {
        let to = try target.parent(of: destination)
        if options.followSourceLink, try source.status(sourcePath).kind == .symlink {
            let file = try source.open(sourcePath, O_RDONLY | O_NONBLOCK)
            let status = try FileStatus.of(file)
            try refuseSameFile(status, as: to.name, in: to.directory)
            try copyContent(of: file, status, to: to.name, in: to.directory)
            return
        }
        let from = try source.parent(of: sourcePath)
        try copyFile(
            from.name, try FileStatus.of(from.name, in: from.directory), in: from.directory, to: to.name,
            in: to.directory, targetPath: destination)
    }

    private mutating func copyTopDirectory(
        _ sourcePath: String, _ status: FileStatus, to destination: String
    ) throws(SystemCallError) {
        try refuseInsideItself(status, destination)
        let made = try makeDirectory(at: destination)
        topDirectory = try FileStatus.of(openTarget(destination).descriptor)
        directories = [
            Directory(
                sourcePath: sourcePath, targetPath: destination, relative: "", status: status, isPending: false,
                ancestors: [])
        ]
        if made || (options.updatesTopDirectory && !options.keepsDirectories) { unfinished.append(0) }
        copied.directories += 1
        var queue = [0]
        while let next = queue.popLast() { queue.append(contentsOf: try copyChildren(of: next).reversed()) }
        for position in unfinished.reversed() { try finishDirectory(directories[position]) }
    }

    /// Copies the files of a directory and returns the positions of the directories in it.
    private mutating func copyChildren(of position: Int) throws(SystemCallError) -> [Int] {
        let directory = directories[position]
        current = directory.sourcePath
        let from = try source.open(directory.sourcePath, O_RDONLY | O_DIRECTORY)
        var to = directory.isPending ? nil : try openTarget(directory.targetPath)
        var deeper: [Int] = []
        for name in try DirectoryEntries.names(of: from.open(".", O_RDONLY | O_DIRECTORY)) {
            if cancellation.isCancelled { throw SystemCallError("copy", errno: ECANCELED) }
            current = joined(directory.sourcePath, name)
            let relative = directory.relative.isEmpty ? name : "\(directory.relative)/\(name)"
            let status: FileStatus
            do throws(SystemCallError) {
                status = try FileStatus.of(name, in: from)
            } catch {
                if error.errno == ENOENT { continue }  // Removed while we were copying.
                throw error
            }
            let isDirectory = status.kind == .directory
            let inclusion = options.include?(relative, isDirectory) ?? .include
            if inclusion == .prune || (inclusion == .skip && !isDirectory) { continue }
            if isDirectory { try refuseDestination(status) }
            let path = joined(directory.targetPath, name)
            if inclusion == .include, to == nil { to = try makePending(position) }
            if isDirectory {
                let made = inclusion == .include ? try makeAndCount(path) : false
                directories.append(
                    Directory(
                        sourcePath: current, targetPath: path, relative: relative, status: status,
                        isPending: inclusion == .skip, ancestors: directory.ancestors + [position]))
                if inclusion == .include, made || !options.keepsDirectories { unfinished.append(directories.count - 1) }
                deeper.append(directories.count - 1)
            } else if let to {
                try copyFile(name, status, in: from, to: name, in: to.descriptor, targetPath: path)
            }
        }
        return deeper
    }

    /// Makes a directory that was skipped so far, with its parents.
    private mutating func makePending(_ position: Int) throws(SystemCallError) -> RootDirectory {
        for index in directories[position].ancestors + [position] where directories[index].isPending {
            let made = try makeAndCount(directories[index].targetPath)
            directories[index].isPending = false
            if made || !options.keepsDirectories { unfinished.append(index) }
        }
        return try openTarget(directories[position].targetPath)
    }

    private func openTarget(_ path: String) throws(SystemCallError) -> RootDirectory {
        RootDirectory(try target.open(path, O_RDONLY | O_DIRECTORY))
    }

    /// Returns whether it was made.
    private mutating func makeAndCount(_ path: String) throws(SystemCallError) -> Bool {
        let made = try makeDirectory(at: path)
        copied.directories += 1
        return made
    }

    /// Returns whether it was made; an existing directory is kept, anything else is replaced or refused.
    private mutating func makeDirectory(at path: String) throws(SystemCallError) -> Bool {
        guard path.contains(where: { $0 != "/" && $0 != "." }) else { return false }
        let parent = try target.parent(of: path)
        do throws(SystemCallError) {
            try parent.directory.makeDirectory(parent.name, mode: 0o700)
            return true
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
        let there = try FileStatus.of(parent.name, in: parent.directory).kind
        if there == .directory { return false }
        if there == .symlink, options.keepsDirectoryLinks { try refuseDirectoryLink(at: path) }
        try clear(parent.name, in: parent.directory, forDirectory: true)
        try parent.directory.makeDirectory(parent.name, mode: 0o700)
        return true
    }

    /// Refuses a directory that would replace a link to a directory, because the files behind the link would be hidden.
    private mutating func refuseDirectoryLink(at path: String) throws(SystemCallError) {
        guard let status = try? target.resolvedStatus(path), status.kind == .directory else { return }
        let place = "/" + path.split(separator: "/").joined(separator: "/")
        let behind = (try? target.pathBehindLinks(path)).map { "/" + $0.split(separator: "/").joined(separator: "/") }
        refusal = ShaleError(
            .conflict, "cannot copy to non-directory: \(place.visible)",
            hint: behind.map { "\(place.visible) is a link to \($0.visible): copy that directory to \($0.visible)" })
        throw SystemCallError("mkdir", path: path, errno: ENOTDIR)
    }

    private mutating func copyFile(
        _ name: String, _ status: FileStatus, in from: borrowing OwnedFD, to newName: String,
        in to: borrowing OwnedFD, targetPath: String
    ) throws(SystemCallError) {
        if status.kind == .socket { return }
        try refuseSameFile(status, as: newName, in: to)
        let identity = status.identity
        if status.kind != .regular || status.links > 1 { try clear(newName, in: to, forDirectory: false) }
        if status.links > 1, let first = linked[identity] {
            let existing = try target.parent(of: first)
            try to.makeLink(newName, to: existing.name, in: existing.directory)
            copied.files += 1
            return
        }
        switch status.kind {
        case .regular:
            let file = try from.open(name, O_RDONLY | O_NONBLOCK)
            let opened = try FileStatus.of(file)
            guard opened.kind == .regular else { throw SystemCallError("open", path: name, errno: ESTALE) }
            try copyContent(of: file, opened, to: newName, in: to)
        case .symlink:
            try to.makeSymlink(newName, to: from.readLink(name))
            try finishName(newName, in: to, status)
        default:
            try to.makeNode(
                newName, mode: status.kind.typeBits | 0o600, major: status.rdevMajor, minor: status.rdevMinor)
            try finishName(newName, in: to, status)
            try to.changeMode(of: newName, permissions(status))
        }
        if status.kind != .regular { copied.files += 1 }
        if status.links > 1 { linked[identity] = targetPath }
    }

    private mutating func makeFile(_ name: String, in directory: borrowing OwnedFD) throws(SystemCallError) -> OwnedFD {
        do throws(SystemCallError) {
            return try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
        try clear(name, in: directory, forDirectory: false)
        do throws(SystemCallError) {
            return try directory.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        } catch {
            // A mount point cannot be unlinked, and `clear` keeps it. The mounted file is written.
            guard error.errno == EEXIST else { throw error }
            return try directory.open(name, O_WRONLY | O_TRUNC | O_NONBLOCK)
        }
    }

    private mutating func copyContent(
        of file: borrowing OwnedFD, _ status: FileStatus, to name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let made = try makeFile(name, in: directory)
        do throws(SystemCallError) {
            if status.size > 0 {
                try FileCopying.copy(from: file, status, to: made) { bytes throws(SystemCallError) in
                    options.moved?(bytes)
                    if cancellation.isCancelled { throw SystemCallError("copy", errno: ECANCELED) }
                }
            }
        } catch {
            // An incomplete file is removed, because it is of no use and takes disk space.
            Logger.container.attempt("remove \(name)") { try directory.unlinkUnmounted(name) }
            throw error
        }
        copied.bytes = copied.bytes.addingClamped(status.size)
        copied.blockBytes = copied.blockBytes.addingClamped(status.size.inWholeBlocks)
        copied.files += 1
        // The owner is set before attributes and mode, because chown clears a capability and the set-ID bits. The time
        // is set last.
        try made.setOwner(of: status, options)
        if options.keepAttributes { try copyAttributes(from: file, to: made) }
        try finishMode(made, status)
    }

    private func finishDirectory(_ directory: Directory) throws(SystemCallError) {
        let made = try target.open(directory.targetPath, O_RDONLY | O_DIRECTORY)
        try made.setOwner(of: directory.status, options)
        if options.keepAttributes {
            let from = try source.open(directory.sourcePath, O_RDONLY | O_DIRECTORY)
            try copyAttributes(from: from, to: made)
        }
        try finishMode(made, directory.status)
    }

    /// Copies the capability and the `user.*` attributes of a file.
    ///
    /// A file system without attributes is no error.
    private func copyAttributes(from: borrowing OwnedFD, to made: borrowing OwnedFD) throws(SystemCallError) {
        for name in try ExtendedAttributes.names(of: from) {
            guard ExtendedAttributes.isOfFile(name), let value = try ExtendedAttributes.value(name, of: from)
            else { continue }
            let isUser = name.hasPrefix("user.")
            do throws(SystemCallError) {
                try ExtendedAttributes.set(name, to: value, of: made)
            } catch {
                guard error.errno == ENOTSUP || (isUser && error.errno == EPERM) else { throw error }
            }
        }
    }

    private func permissions(_ status: FileStatus) -> UInt32 {
        options.mode?.applied(to: status.permissions, isDirectory: status.kind == .directory) ?? status.permissions
    }

    private func finishMode(_ fd: borrowing OwnedFD, _ status: FileStatus) throws(SystemCallError) {
        try fd.changeMode(permissions(status))
        if options.keepTimes { try fd.setTimes(status.modified) }
    }

    private func finishName(
        _ name: String, in directory: borrowing OwnedFD, _ status: FileStatus
    ) throws(SystemCallError) {
        let owner = options.owner ?? TreeCopyOptions.Owner(uid: status.uid, gid: status.gid)
        try directory.changeOwner(of: name, uid: owner.uid, gid: owner.gid)
        if options.keepTimes { try directory.setTimes(of: name, status.modified) }
    }

    /// Removes a name, so that a file or directory can be made there, or refuses as docker does.
    private mutating func clear(
        _ name: String, in directory: borrowing OwnedFD, forDirectory: Bool
    ) throws(SystemCallError) {
        let there: FileStatus
        do throws(SystemCallError) {
            there = try FileStatus.of(name, in: directory)
        } catch {
            if error.errno == ENOENT { return }
            throw error
        }
        if there.kind == .directory, !forDirectory {
            guard options.replacesOtherKinds else {
                refusal = ShaleError(
                    .conflict, "cannot overwrite directory \"\(name)\" with non-directory \"\(current)\"")
                throw SystemCallError("copy", path: name, errno: EISDIR)
            }
            return try TreeRemoval.remove(name, in: directory)
        }
        if forDirectory, !options.replacesOtherKinds {
            refusal = ShaleError(.conflict, "cannot overwrite non-directory \"\(name)\" with directory \"\(current)\"")
            throw SystemCallError("copy", path: name, errno: ENOTDIR)
        }
        do throws(SystemCallError) {
            try directory.unlinkUnmounted(name)
        } catch {
            guard error.errno == EBUSY, there.kind == .regular else { throw error }
        }
    }

    /// The target of a link at the destination.
    ///
    /// All steps are resolved inside the root.
    private func resolvedDestination(_ path: String) throws(SystemCallError) -> String {
        guard options.followDestinationLink else { return path }
        return try target.pathBehindLinks(path)
    }

    private func makeParents(of path: String) throws(SystemCallError) {
        var parts = path.pathParts.filter { $0 != "." }
        _ = parts.popLast()
        try target.makeOwnedDirectories(
            parts.joined(separator: "/"), owner: options.owner ?? .root, mode: options.parentMode)
    }
}

extension OwnedFD {
    fileprivate func setOwner(of status: FileStatus, _ options: TreeCopyOptions) throws(SystemCallError) {
        let owner = options.owner ?? TreeCopyOptions.Owner(uid: status.uid, gid: status.gid)
        try changeOwner(uid: owner.uid, gid: owner.gid)
    }
}

extension FileStatus.Kind {
    /// The file type bits of a mode, for `mknod(2)`.
    fileprivate var typeBits: UInt32 {
        switch self {
        case .fifo: 0o010000
        case .characterDevice: 0o020000
        case .blockDevice: 0o060000
        default: 0o100000
        }
    }
}

private func joined(_ path: String, _ name: String) -> String {
    path.isEmpty || path.hasSuffix("/") ? path + name : "\(path)/\(name)"
}
