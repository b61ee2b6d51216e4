import Basics
import Glibc
import Linux
import OCI

/// Makes files, directories, links and devices below a root that nothing can leave.
///
/// Every name is made by an `*at` call in a directory that was opened below the root, links resolved inside it. What a
/// directory's metadata are is set at the end, so that neither a mode without write permission, a set-group-id bit nor
/// a time is in the way of what is still to be made in it.
final class TreeBuilder {
    /// How an overlay-form layer differs from a plain tree.
    struct Style {
        /// Write whiteouts and opaque marks in this form; `nil` for a plain tree, where `.wh.` names mean nothing.
        var overlay: OverlayForm?
        /// Refuse to put a directory in the place of another file or the reverse, as `docker cp` does.
        var keepsTypes = false
        /// Owner of everything, whatever the archive says.
        var owner: (uid: UInt32, gid: UInt32)?
        /// Where owners, devices and attributes may be refused without being an error.
        var isInNamespace = OverlayForm.current == .user
    }

    let root: RootDirectory
    let style: Style
    let subject: String
    var log = IndexLog()
    /// Owners and devices that the kernel refused.
    private(set) var refusals = 0
    /// The directory the last member was made in.
    private var cached: (key: String, directory: OpenDirectory)?

    init(root: RootDirectory, style: Style, subject: String) {
        self.root = root
        self.style = style
        self.subject = subject
    }

    /// An open directory below the root, and its path there with all links resolved.
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

    /// Translates a system call's error once.
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

    /// The directory at a cleaned path, made with what is missing of it.
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

    /// Forgets the open directory, after something was removed that may be on its way.
    func forgetDirectory() { cached = nil }

    /// Walks a path name by name, making what is missing and following links inside the root.
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

    /// Makes a directory that the archive does not name; over a whiteout or file of the same layer it is opaque.
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

    /// Makes a directory that the archive names, or keeps the one that is there.
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

    /// Removes what is at a name, a directory with all that is in it.
    func clear(_ name: String, in parent: OpenDirectory) throws(SystemCallError) {
        // What is mounted in a running container stays: only docker cp unpacks into one.
        if style.overlay == nil, let there = try parent.descriptor.statusIfPresent(name), there.kind != .directory {
            try parent.descriptor.unlinkUnmounted(name)
        } else {
            try TreeRemoval.remove(name, in: parent.descriptor)
        }
        log.remove(parent.absolute(name))
        forgetDirectory()
    }

    /// Calls `make`; when the name is taken, removes what is there and calls it again.
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

    /// Makes a file; `write` fills it and returns its hash.
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

    /// Makes a fifo or a device; an empty file where a user namespace may not make the device.
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

    /// Gives a file that is below the root already another name.
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

    /// Owner before mode, for a change of owner clears set-id bits; attributes then, for it clears capabilities too.
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

    /// Where the namespace does not map an id, the file keeps this process's id; the index has the archive's.
    private func tolerating(_ body: () throws(SystemCallError) -> Void) throws(SystemCallError) {
        do throws(SystemCallError) {
            try body()
        } catch {
            guard style.isInNamespace, error.errno == EPERM || error.errno == EINVAL else { throw error }
            refusals += 1
        }
    }

    /// A file system without attributes, and attributes that may not be set, are common: they are ignored, as docker
    /// does.
    private func mayLack(_ attribute: ExtendedAttribute, _ error: SystemCallError) -> Bool {
        error.errno == ENOTSUP || error.errno == EPERM || (style.isInNamespace && error.errno == EINVAL)
    }

    /// Gives the directories their metadata, the deepest first, and answers all entries, sorted.
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
