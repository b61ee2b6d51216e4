package import Basics
import Glibc
import Linux

/// Follows a path through a tree that no kernel has mounted: `..` stays inside the root, and so do links.
///
/// Entry: one entry of the tree, with what it takes to look below it.
package struct PathWalk<Entry> {
    /// Where a link leads; `nil` for what is no link.
    private let link: (Entry) -> String?
    /// One name in a directory; `nil` when it is not there, or the place is no directory.
    private let child: (String, Entry) throws(ShaleError) -> Entry?

    package init(
        link: @escaping (Entry) -> String?, child: @escaping (String, Entry) throws(ShaleError) -> Entry?
    ) {
        self.link = link
        self.child = child
    }

    /// What a path names below `root`, or `nil`; a link at its end is followed if asked, links before it always.
    ///
    /// Throws `ELOOP`'s error after 255 links, as docker's own walk does.
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

    /// A path's components, the last first.
    private static func components(_ path: String) -> [String] {
        path.utf8.split(separator: 0x2F).map { String(Substring($0)) }.reversed()
    }
}
