import Basics

/// Paths as the inside of an image sees them.
package enum ImagePath {
    /// What `WORKDIR` sets: an absolute path stays as it is written, as with both of docker's builders.
    package static func workingDirectory(_ path: String, relativeTo base: String) -> String {
        path.hasPrefix("/") ? path : clean(path, relativeTo: base)
    }

    /// An absolute path without `.`, `..` and doubled slashes, Go's `filepath.Clean` after a join.
    package static func clean(_ path: String, relativeTo base: String = "/") -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : base + "/" + path).pathParts where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
