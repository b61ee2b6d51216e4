import Basics
package import Linux

/// One change of a container or build step to its image: docker's `A`, `C` and `D`.
package struct Change: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case added = "A"
        case changed = "C"
        case deleted = "D"
    }

    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case type, content, size, mode, owner, mtime, link, device, xattr
        /// The file was written again without a difference.
        case written
    }

    package var kind: Kind
    /// The absolute path, such as `/etc/passwd`.
    package var path: String
    /// The attributes that differ; empty for an added or deleted path, and for a directory that only contains a change.
    package var reasons: Set<Reason>
    /// The new status; `nil` for a deleted path.
    package var status: FileStatus?
    /// The status before; `nil` for an added path.
    package var before: FileStatus?
    /// The new target text of a symbolic link.
    package var link: String

    package init(
        kind: Kind, path: String, reasons: Set<Reason> = [], status: FileStatus? = nil, before: FileStatus? = nil,
        link: String = ""
    ) {
        self.kind = kind
        self.path = path
        self.reasons = reasons
        self.status = status
        self.before = before
        self.link = link
    }

    /// The line of `diff`.
    package var line: String { "\(kind.rawValue) \(path)" }
    /// Whether it is a directory that is listed only because something in it changed.
    package var isParentOnly: Bool { kind == .changed && reasons.isEmpty }
}

extension [Change] {
    /// The changes without unchanged files that got another hard link, and without directories that are listed only for
    /// them.
    ///
    /// A commit contains these files, because a layer can only link names that it contains. Docker's `diff` does not
    /// show them.
    package var withoutLinkedNames: [Change] {
        var kept: [Change] = []
        var occupied: Set<PathKey> = []
        for change in reversed() {
            let isLinked = change.reasons == [.link] && change.status?.kind != .symlink
            if isLinked || (change.isParentOnly && !occupied.contains(PathKey(change.path))) { continue }
            kept.append(change)
            if let slash = change.path.utf8.lastIndex(of: UInt8(ascii: "/")) {
                occupied.insert(PathKey(String(change.path[..<slash])))
            }
        }
        return kept.reversed()
    }
}

extension Sequence<Change> {
    /// The size of the new and changed files, in bytes.
    ///
    /// A file with several hard links counts once.
    package var contentBytes: Int64 {
        var seen: Set<[UInt64]> = []
        return reduce(0) { sum, change in
            guard let status = change.status, status.kind == .regular else { return sum }
            if status.links > 1, !seen.insert([status.device, status.inode]).inserted { return sum }
            return sum.addingClamped(status.size)
        }
    }
}
