package import Basics
import Glibc
import Linux

/// Resolves a path in a tree that is not mounted.
///
/// `..` and links stay inside the root.
///
/// `Entry` is one entry of the tree, with the information that is needed to list it.
package struct PathWalk<Entry> {
    /// The target of a link; `nil` for an entry that is no link.
    private let link: (Entry) -> String?
    /// The entry of a name in a directory; `nil` when there is none, or the entry is no directory.
    private let child: (String, Entry) throws(ShaleError) -> Entry?

    package init(
        link: @escaping (Entry) -> String?, child: @escaping (String, Entry) throws(ShaleError) -> Entry?
    ) {
        self.link = link
        self.child = child
    }

    /// The entry of a path below `root`; `nil` when there is none.
    ///
    /// A link at the end is followed on request, links before it always.
    ///
    /// Throws the error of `ELOOP` after 255 links, as docker does, and what reading the tree throws.
    package func find(_ path: String, from root: Entry, followingLinks: Bool) throws(ShaleError) -> Entry? {
        var trail = [root]
        var pending = Self.components(path)
        var links = 0
        while let name = pending.popLast() {
            if name == "." { continue }
            if name == ".." {
                if trail.count > 1 { trail.removeLast() }
                continue
            }
            guard let here = trail.last, let found = try child(name, here) else { return nil }
            guard let target = link(found), followingLinks || !pending.isEmpty else {
                trail.append(found)
                continue
            }
            links += 1
            guard links <= 255, pending.count < 4096 else {
                throw SystemCallError("open", path: path, errno: ELOOP).shaleError(path)
            }
            if target.isAbsolutePath { trail.removeSubrange(1...) }
            pending += Self.components(target)
        }
        return trail.last
    }

    /// The components of a path, the last one first.
    private static func components(_ path: String) -> [String] {
        path.utf8.split(separator: 0x2F).map { String(Substring($0)) }.reversed()
    }
}
