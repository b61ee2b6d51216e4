/// Paths are taken apart by bytes: a letter with marks is one `Character`, so that `/` before a combining mark is not
/// the character `/` and would be missed.
extension StringProtocol {
    /// What stands between the slashes; empty parts are left out.
    package var pathParts: [SubSequence] {
        utf8.split(separator: UInt8(ascii: "/")).map { self[$0.startIndex..<$0.endIndex] }
    }

    /// Whether it begins with a slash.
    package var isAbsolutePath: Bool { utf8.first == UInt8(ascii: "/") }

    /// Without the slash it begins with.
    package var withoutLeadingSlash: String {
        String(isAbsolutePath ? self[utf8.index(after: startIndex)...] : self[...])
    }
}

extension StringProtocol where UTF8View: BidirectionalCollection {
    /// The index of the last slash.
    package var lastSlash: Index? { utf8.lastIndex(of: UInt8(ascii: "/")) }
}

extension String {
    /// The path above; `/` above a top-level one.
    package var parentPath: String {
        guard let slash = lastSlash, slash != startIndex else { return "/" }
        return String(self[..<slash])
    }

    /// What stands behind the last slash that something follows; empty where nothing does.
    package var lastPart: String { pathParts.last.map(String.init) ?? "" }

    /// The text after the last slash; `/` for the root.
    ///
    /// Unlike `lastPart` it is empty behind a slash at the end.
    package var lastPathComponent: String {
        guard self != "/", let slash = lastSlash else { return self }
        return String(self[utf8.index(after: slash)...])
    }

    /// The path of a name in this directory.
    package func appendingPath(_ name: some StringProtocol) -> String {
        utf8.last == UInt8(ascii: "/") ? self + name : "\(self)/\(name)"
    }

    /// Whether the path lies below a directory.
    package func isBelow(_ directory: String) -> Bool {
        let prefix = directory == "/" ? "/" : directory + "/"
        return utf8.count > prefix.utf8.count && utf8.starts(with: prefix.utf8)
    }

    /// Whether the path is a directory or lies below it.
    ///
    /// Every path lies below the root.
    package func isAtOrBelow(_ directory: String) -> Bool {
        directory == "/" || utf8.elementsEqual(directory.utf8) || isBelow(directory)
    }
}
