import Basics
import Glibc
import Linux
import OCI

/// Makes files, directories, links and devices below a root, and never outside it.
///
/// Each name is made with an `*at` call in a directory that was opened below the root, where links are resolved inside
/// the root. The metadata of directories is set at the end, so that a mode without write permission, a set-group-ID bit
/// or a time does not affect files that are made later.
final class TreeBuilder {
    /// The differences between a layer in overlay form and a plain tree.
    struct Style {
        /// The form of whiteouts and opaque marks; `nil` for a plain tree, where `.wh.` names have no meaning.
        var overlay: OverlayForm?
        /// Refuse to put a directory in the place of another file or the reverse, as `docker cp` does.
        var keepsTypes = false
        /// Owner of everything, whatever the archive says.
        var owner: (uid: UInt32, gid: UInt32)?
        /// Whether this is a user namespace, where it is no error when owners, devices or attributes cannot be set.
        var isInNamespace = OverlayForm.current == .user
    }

    let root: RootDirectory
    let style: Style
    let subject: String
    var log = IndexLog()
    /// The number of owners and devices that the kernel refused.
    private(set) var refusals = 0
    /// The directory of the last member.
    private var cached: (key: String, directory: OpenDirectory)?

    init(root: RootDirectory, style: Style, subject: String) {
        self.root = root
        self.style = style
        self.subject = subject
    }

    /// An open directory below the root, and its path without links.
    final class OpenDirectory {
        let descriptor: OwnedFD
        let path: String

        init(_ descriptor: consuming OwnedFD, path: String) {
            self.descriptor = descriptor
            self.path = path
        }

        /// The absolute path of a name in it.
        func absolute(_ name: String) -> String { path.isEmpty ? "/" + name : "/\(path)/\(name)" }
    }

    /// Translates the error of a system call, and adds the path.
    func naming<Result>(
        _ path: String, _ body: () throws(SystemCallError) -> Result
    ) throws(ShaleError) -> Result {
        do throws(SystemCallError) {
            return try body()
        } catch {
            var translated = error.shaleError("\(subject): \(path)")
            translated.message = "\(subject): \(path)"
            throw translated
        }
    }

    // MARK: Directories

    /// Opens the directory at a clean path.
    ///
    /// Missing directories are made.
    func directory(_ path: String, modified: Timestamp) throws(ShaleError) -> OpenDirectory {
        if let cached, PathOrder.same(cached.key, path) { return cached.directory }
        let found: OpenDirectory
        do throws(SystemCallError) {
            found = OpenDirectory(try root.directory(path), path: path)
        } catch {
            guard [ENOENT, ENOTDIR, ELOOP].contains(error.errno) else { throw error.shaleError("\(subject): \(path)") }
            found = try naming(path) { () throws(SystemCallError) in try makeDirectories(path, modified: modified) }
        }
        cached = (path, found)
        return found
    }

    /// Forgets the open directory, because something in its path may have been removed.
    func forgetDirectory() { cached = nil }

    /// Walks a path component by component, makes missing directories, and follows links inside the root.
    private func makeDirectories(_ path: String, modified: Timestamp) throws(SystemCallError) -> OpenDirectory {
        var pending = Array(path.pathParts.map(String.init).reversed())
        var done: [String] = []
        var here = try root.directory("")
        var links = 0
        while let name = pending.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = done.popLast()
                here = try root.directory(done.joined(separator: "/"))
                continue
            }
            let status = try here.statusIfPresent(name)
            if status?.kind == .symlink {
                links += 1
                guard links <= 255 else { throw SystemCallError("open", path: path, errno: ELOOP) }
                let target = try here.readLink(name)
                guard target.utf8.count <= 4096, pending.count < 4096 else {
                    throw SystemCallError("open", path: path, errno: ENAMETOOLONG)
                }
                pending.append(contentsOf: target.pathParts.map(String.init).reversed())
                if target.isAbsolutePath {
                    done = []
                    here = try root.directory("")
                }
                continue
            }
            if status?.kind != .directory {
                try makeParent(name, replacing: status, in: here, at: done, modified: modified)
            }
            here = try here.open(name, O_RDONLY | O_DIRECTORY)
            done.append(name)
        }
        return OpenDirectory(here, path: done.joined(separator: "/"))
    }

    /// Makes a directory that the archive does not name.
    ///
    /// It is opaque when it replaces a whiteout or file of the same layer.
    private func makeParent(
        _ name: String, replacing status: FileStatus?, in here: borrowing OwnedFD, at place: [String],
        modified: Timestamp
    ) throws(SystemCallError) {
        let path = "/" + (place + [name]).joined(separator: "/")
        if status != nil {
            guard style.overlay != nil else { throw SystemCallError("open", path: path, errno: ENOTDIR) }
            try here.unlink(name)
            log.remove(path)
        }
        try here.makeDirectory(name, mode: 0o700)
        var entry = LayerEntry(path: path, kind: .directory, mode: 0o755, modified: modified, isImplied: true)
        if let owner = style.owner { (entry.uid, entry.gid) = owner }
        if status != nil, let form = style.overlay {
            try form.setOpaque(here.open(name, O_RDONLY | O_DIRECTORY))
            entry.isOpaque = true
        }
        log.add(entry)
    }

    /// Makes a directory that the archive names, or keeps the existing one.
    func makeDirectory(_ name: String, in parent: OpenDirectory, as entry: LayerEntry) throws(ShaleError) {
        var entry = entry
        try naming(entry.path) { () throws(SystemCallError) in
            do throws(SystemCallError) {
                try parent.descriptor.makeDirectory(name, mode: 0o700)
            } catch {
                guard error.errno == EEXIST else { throw error }
                guard try FileStatus.of(name, in: parent.descriptor).kind != .directory else { return }
                guard !style.keepsTypes else { throw SystemCallError("mkdir", path: name, errno: ENOTDIR) }
                try clear(name, in: parent)
                try parent.descriptor.makeDirectory(name, mode: 0o700)
                if let form = style.overlay {
                    try form.setOpaque(parent.descriptor.open(name, O_RDONLY | O_DIRECTORY))
                    entry.isOpaque = true
                }
            }
        }
        log.add(entry)
    }

    /// Removes a name; a directory with its content.
    func clear(_ name: String, in parent: OpenDirectory) throws(SystemCallError) {
        // Mount points of a running container stay. Only docker cp unpacks into a running container.
        if style.overlay == nil, let there = try parent.descriptor.statusIfPresent(name), there.kind != .directory {
            try parent.descriptor.unlinkUnmounted(name)
        } else {
            try TreeRemoval.remove(name, in: parent.descriptor)
        }
        log.remove(parent.absolute(name))
        forgetDirectory()
    }

    /// Calls `make`.
    ///
    /// When the name exists, removes it and calls `make` again.
    func replacing<Result: ~Copyable>(
        _ name: String, in parent: OpenDirectory, _ make: () throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        do throws(SystemCallError) {
            return try make()
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
        if style.keepsTypes, try parent.descriptor.statusIfPresent(name)?.kind == .directory {
            throw SystemCallError("open", path: name, errno: EISDIR)
        }
        try clear(name, in: parent)
        return try make()
    }

    // MARK: Everything else

    /// Makes a file.
    ///
    /// `write` writes its content and returns the hash.
    func makeFile(
        _ name: String, in parent: OpenDirectory, as entry: LayerEntry,
        _ write: (borrowing OwnedFD) throws(ShaleError) -> ContentHash?
    ) throws(ShaleError) {
        var entry = entry
        let file = try openNew(name, in: parent, entry.path)
        entry.contentHash = try write(file)
        do throws(SystemCallError) {
            try setMetadata(of: file, to: entry)
        } catch {
            throw error.shaleError("\(subject): \(entry.path)")
        }
        log.add(entry)
    }

    private func openNew(_ name: String, in parent: OpenDirectory, _ path: String) throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            return try replacing(name, in: parent) { () throws(SystemCallError) in
                try parent.descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            }
        } catch {
            throw error.shaleError("\(subject): \(path)")
        }
    }

    func makeSymlink(_ name: String, in parent: OpenDirectory, as entry: LayerEntry) throws(ShaleError) {
        try naming(entry.path) { () throws(SystemCallError) in
            try replacing(name, in: parent) { () throws(SystemCallError) in
                try parent.descriptor.makeSymlink(name, to: entry.link)
            }
            try setMetadata(of: name, in: parent, to: entry)
        }
        log.add(entry)
    }

    /// Makes a FIFO or a device.
    ///
    /// In a user namespace that may not make the device, it makes an empty file.
    func makeNode(_ name: String, in parent: OpenDirectory, as entry: LayerEntry) throws(ShaleError) {
        var entry = entry
        let type: UInt32 =
            switch entry.kind {
            case .characterDevice, .whiteout: 0o020000
            case .blockDevice: 0o060000
            default: 0o010000
            }
        try naming(entry.path) { () throws(SystemCallError) in
            try replacing(name, in: parent) { () throws(SystemCallError) in
                do throws(SystemCallError) {
                    try parent.descriptor.makeNode(
                        name, mode: type | 0o600, major: entry.deviceMajor, minor: entry.deviceMinor)
                } catch {
                    guard error.errno == EPERM, style.isInNamespace, entry.kind != .fifo else { throw error }
                    _ = try parent.descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
                    refusals += 1
                    entry.isPlaceholder = true
                }
            }
            try setMetadata(of: name, in: parent, to: entry)
        }
        log.add(entry)
    }

    /// Makes a hard link to a file below the root.
    func makeLink(
        _ name: String, in parent: OpenDirectory, to target: String, in directory: OpenDirectory, modified: Timestamp
    ) throws(ShaleError) {
        let path = parent.absolute(name)
        let origin = directory.absolute(target)
        guard !PathOrder.same(path, origin) else { return }
        try naming(path) { () throws(SystemCallError) in
            try replacing(name, in: parent) { () throws(SystemCallError) in
                try parent.descriptor.makeLink(name, to: target, in: directory.descriptor)
            }
        }
        log.addLink(path, to: origin, modified: modified)
    }

    // MARK: Metadata

    /// Sets owner, mode and attributes in this order, because a change of owner clears set-ID bits and capabilities.
    func setMetadata(of file: borrowing OwnedFD, to entry: LayerEntry) throws(SystemCallError) {
        let raw = file.raw
        try tolerating { () throws(SystemCallError) in
            try check("chown") { fchown(raw, entry.uid, entry.gid) }
        }
        try file.changeMode(entry.mode)
        for attribute in entry.attributes {
            do throws(SystemCallError) {
                try ExtendedAttributes.set(attribute.name, to: attribute.value, of: file)
            } catch {
                guard mayLack(attribute, error) else { throw error }
            }
        }
        try file.setTimes(entry.modified)
    }

    private func setMetadata(
        of name: String, in parent: OpenDirectory, to entry: LayerEntry
    ) throws(SystemCallError) {
        try tolerating { () throws(SystemCallError) in
            try parent.descriptor.changeOwner(of: name, uid: entry.uid, gid: entry.gid)
        }
        if entry.kind != .symlink { try parent.descriptor.changeMode(of: name, entry.mode) }
        for attribute in entry.attributes {
            do throws(SystemCallError) {
                try ExtendedAttributes.set(attribute.name, to: attribute.value, of: name, in: parent.descriptor)
            } catch {
                guard mayLack(attribute, error) else { throw error }
            }
        }
        try parent.descriptor.setTimes(of: name, entry.modified)
    }

    /// Ignores that a user namespace does not map an ID.
    ///
    /// The file keeps this process's ID, and the index has the archive's.
    private func tolerating(_ body: () throws(SystemCallError) -> Void) throws(SystemCallError) {
        do throws(SystemCallError) {
            try body()
        } catch {
            guard style.isInNamespace, error.errno == EPERM || error.errno == EINVAL else { throw error }
            refusals += 1
        }
    }

    /// Whether an attribute that cannot be set is ignored, as docker does: on a file system without attributes, or
    /// without the permission.
    private func mayLack(_ attribute: ExtendedAttribute, _ error: SystemCallError) -> Bool {
        error.errno == ENOTSUP || error.errno == EPERM || (style.isInNamespace && error.errno == EINVAL)
    }

    /// Sets the metadata of directories, the deepest first, and returns all entries, sorted.
    func finish() throws(ShaleError) -> [LayerEntry] {
        cached = nil
        let entries = log.finished()
        for entry in entries.reversed() where entry.kind == .directory {
            try naming(entry.path) { () throws(SystemCallError) in
                try setMetadata(of: root.directory(entry.path), to: entry)
            }
        }
        return entries
    }
}
