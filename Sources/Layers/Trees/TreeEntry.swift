package import Linux

/// One path of a merged tree, and the layer that it comes from.
package struct TreeEntry: Sendable, Hashable {
    /// The absolute clean path without links, such as `/etc/passwd`; `/` for the root.
    package let path: String
    package let status: FileStatus
    /// The layer, counted from the top.
    ///
    /// For a directory it is the topmost layer that has it.
    package let layer: Int
    /// The target text of a symbolic link.
    package let link: String
    /// The layers of a directory, from the top down to the one that hides the rest.
    let layers: [Int]

    /// The last path component; empty for the root.
    package var name: String {
        path.utf8.lastIndex(of: 0x2F).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// The path of its directory; for the root it is the root.
    package var parent: String {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    func child(_ name: String) -> String { path == "/" ? "/" + name : path + "/" + name }
}
