package import Basics
import Glibc
package import Linux

/// Finds the changes that an overlay's upper directory makes to the layers below.
///
/// `diff`, `commit` and `build` use it.
///
/// A file is changed when its type, mode, owner, attributes, time, size or content differs. A directory is changed when
/// its mode, owner or attributes differ, or when something in it changed. A file that overlayfs copied up and that is
/// equal to the lower one is no change. Only the upper directory is walked.
package struct ChangeFinder {
    private let upper: RootDirectory
    private let lower: MergedTree
    private let form: OverlayForm
    private let ignored: Set<PathKey>
    /// Whether a file that is equal to the lower one counts as a change.
    ///
    /// Docker keeps a file that a copy wrote again.
    package var keepsRewritten = false

    /// Compares `upper` with `lowers`, which are ordered from the top.
    ///
    /// `ignoring` are mount points that the runner made. They are left out when they are empty and not in the image.
    package init(
        upper: RootDirectory, lowers: [RootDirectory], form: OverlayForm, ignoring: Set<String> = []
    ) {
        self.upper = upper
        lower = MergedTree(layers: lowers, form: form)
        self.form = form
        ignored = Set(ignoring.map { PathKey($0) })
    }

    /// All changes with their parent directories, sorted by path bytes.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the directories or files throws.
    package func changes(cancellation: Cancellation = Cancellation()) throws(ShaleError) -> [Change] {
        var walk = Walk()
        walk.pending = [
            PendingDirectory(path: "/", below: lower.layers.isEmpty ? nil : try lower.root(), isHidden: false)
        ]
        while let place = walk.pending.popLast() {
            try cancellation.check()
            do {
                try visit(place, &walk)
            } catch {
                let translated = (error as? SystemCallError)?.shaleError(place.path) ?? error as? ShaleError
                throw translated ?? ShaleError(.io, place.path)
            }
        }
        try addLinkedNames(&walk)
        return withParents(withoutStubs(walk.found), walk)
    }

    /// A directory of the upper layer, and the lower directories that it is merged with.
    private struct PendingDirectory {
        var path: String
        var below: TreeEntry?
        /// Whether it hides the lower layers.
        var isHidden: Bool
    }

    private struct Walk {
        var pending: [PendingDirectory] = []
        var found: [Change] = []
        /// Directories without a change of their own.
        var unchanged: [PathKey: Change] = [:]
        /// Unchanged files with several hard links.
        var linked: [FileIdentity: [Change]] = [:]
        var linkedChanged: Set<FileIdentity> = []
    }

    private func visit(_ place: PendingDirectory, _ walk: inout Walk) throws {
        let here = try upper.directory(place.path)
        let names = try DirectoryEntries.list(here)
        for (name, status) in names {
            let path = place.path == "/" ? "/" + name : "\(place.path)/\(name)"
            let below = try place.below.flatMap { try lower.child(name, of: $0) }
            if status.isWhiteout {
                if let below { walk.found.append(Change(kind: .deleted, path: path, before: below.status)) }
                continue
            }
            var change = Change(kind: .changed, path: path, status: status, before: below?.status)
            if status.kind == .symlink { change.link = try here.readLink(name) }
            if let below {
                change.reasons = try reasons(change, status, below, name, here)
                if keepsRewritten, change.reasons.isEmpty, status.kind != .directory { change.reasons = [.written] }
            } else {
                change.kind = .added
            }
            note(change, status, &walk)
            guard status.kind == .directory else { continue }
            let merged = below.flatMap { $0.status.kind == .directory ? $0 : nil }
            var isHidden = place.isHidden
            if merged != nil, !isHidden { isHidden = try form.isOpaque(here.open(name, O_RDONLY | O_DIRECTORY)) }
            walk.pending.append(PendingDirectory(path: path, below: merged, isHidden: isHidden))
        }
        if place.isHidden, let below = place.below {
            let present = Set(names.map { PathKey($0.name) })
            for child in try lower.children(of: below) where !present.contains(PathKey(child.name)) {
                walk.found.append(Change(kind: .deleted, path: child.path, before: child.status))
            }
        }
    }

    private func note(_ change: Change, _ status: FileStatus, _ walk: inout Walk) {
        let isChange = change.kind == .added || !change.reasons.isEmpty
        if status.kind == .directory {
            if isChange { walk.found.append(change) } else { walk.unchanged[PathKey(change.path)] = change }
            return
        }
        if isChange { walk.found.append(change) }
        guard status.links > 1 else { return }
        let identity = status.identity
        if isChange { walk.linkedChanged.insert(identity) } else { walk.linked[identity, default: []].append(change) }
    }

    private func reasons(
        _ change: Change, _ status: FileStatus, _ below: TreeEntry, _ name: String, _ here: borrowing OwnedFD
    ) throws -> Set<Change.Reason> {
        var reasons = FileComparison.reasons(status, below.status, newLink: change.link, oldLink: below.link)
        if reasons.contains(.type) { return reasons }
        if try PortableAttributes.read(name, in: here) != lower.attributes(of: below) { reasons.insert(.xattr) }
        if status.kind == .regular, !reasons.contains(.size), status.size > 0 {
            let new = try here.open(name, O_RDONLY | O_NONBLOCK)
            if try !FileComparison.haveSameContents(new, lower.open(below)) { reasons.insert(.content) }
        }
        return reasons
    }

    /// Adds the other names of a file that got a new hard link, because a layer can only link names that it contains.
    private func addLinkedNames(_ walk: inout Walk) throws(ShaleError) {
        for inode in walk.linkedChanged {
            for var change in walk.linked[inode] ?? [] {
                change.reasons = [.link]
                walk.found.append(change)
            }
        }
    }

    /// Leaves out mount points that are unchanged, the deepest first.
    private func withoutStubs(_ found: [Change]) -> [Change] {
        let sorted = found.sorted { PathOrder.precedes($0.path, $1.path) }
        guard !ignored.isEmpty else { return sorted }
        var kept: [Change] = []
        var occupied: Set<PathKey> = []
        for change in sorted.reversed() {
            let key = PathKey(change.path)
            // It counts as changed when it replaces the empty mount point that every container has.
            if ignored.contains(key), change.kind != .deleted, let status = change.status {
                if status.kind == .regular, status.size == 0 { continue }
                if status.kind == .directory, !occupied.contains(key) { continue }
            }
            kept.append(change)
            occupied.formUnion(Self.parents(of: change.path).map { PathKey($0) })
        }
        return kept.reversed()
    }

    /// Adds the parent directories of changes, except the root, when they are not changed themselves.
    private func withParents(_ sorted: [Change], _ walk: Walk) -> [Change] {
        var known = Set(sorted.map { PathKey($0.path) })
        var all = sorted
        for change in sorted {
            for parent in Self.parents(of: change.path) {
                guard known.insert(PathKey(parent)).inserted else { break }
                all.append(walk.unchanged[PathKey(parent)] ?? Change(kind: .changed, path: parent))
            }
        }
        return all.sorted { PathOrder.precedes($0.path, $1.path) }
    }

    /// The parent directories of a path, the nearest first, without the root.
    private static func parents(of path: String) -> [String] {
        var parents: [String] = []
        var rest = path.utf8[...]
        while let slash = rest.lastIndex(of: 0x2F), slash != rest.startIndex {
            rest = rest[..<slash]
            parents.append(String(Substring(rest)))
        }
        return parents
    }
}
