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
}
