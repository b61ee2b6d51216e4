package import Linux

/// One path of a merged tree, and the layer that decides what stands there.
package struct TreeEntry: Sendable, Hashable {
    /// Absolute and clean, with no link in it: `/etc/passwd`; `/` is the root.
    package let path: String
    package let status: FileStatus
    /// The layer it comes from, counted from the top; a directory's is the topmost that has it.
    package let layer: Int
    /// A symlink's text.
    package let link: String
    /// A directory's layers, from the top, down to the one that hides the rest.
    let layers: [Int]

    /// The last component; empty for the root.
    package var name: String {
        path.utf8.lastIndex(of: 0x2F).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// The directory it is in; the root's is the root.
    package var parent: String {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    func child(_ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}
