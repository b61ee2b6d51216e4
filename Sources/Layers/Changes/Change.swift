import Basics
package import Linux

/// One line of what a container or build step did to its image: docker's `A`, `C` and `D`.
package struct Change: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case added = "A"
        case changed = "C"
        case deleted = "D"
    }

    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case type, content, size, mode, owner, mtime, link, device, xattr
        /// Written again as it was.
        case written
    }

    package var kind: Kind
    /// Absolute: `/etc/passwd`.
    package var path: String
    /// What differs; empty for an added or deleted path, and for a directory that only holds a change.
    package var reasons: Set<Reason>
    /// What stands there now; `nil` for a deleted path.
    package var status: FileStatus?
    /// What stood there before; `nil` for an added path.
    package var before: FileStatus?
    /// A symlink's text now.
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

    /// The line as `diff` prints it.
    package var line: String { "\(kind.rawValue) \(path)" }
    /// Whether it is here only because something in the directory changed.
    package var isParentOnly: Bool { kind == .changed && reasons.isEmpty }
}

extension [Change] {
    /// Without files that are as they were and got another name, and the directories that are here only for them.
    ///
    /// A commit holds them, for a layer can only link names it holds itself; docker's `diff` does not show them.
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
    /// Bytes of the files that are there now; one with several names counts once.
    package var contentBytes: Int64 {
        var seen: Set<[UInt64]> = []
        return reduce(0) { sum, change in
            guard let status = change.status, status.kind == .regular else { return sum }
            if status.links > 1, !seen.insert([status.device, status.inode]).inserted { return sum }
            return sum.addingClamped(status.size)
        }
    }
}
