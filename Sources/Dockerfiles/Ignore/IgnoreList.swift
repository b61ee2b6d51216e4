package import Basics

/// The pattern that keeps a path out of a build context.
package struct IgnoreMatch: Sendable, Hashable {
    /// As written.
    package var pattern: String
    /// Its line in the file, counted from 1; its place in the list where there is no file.
    package var line: Int
}

/// A `.dockerignore`, or any list of patterns of its kind, compiled once.
///
/// Paths are relative to the context, with slashes, without `./`. The last pattern that matches a path or a folder
/// above it decides; one with `!` takes the path back in.
package struct IgnoreList: Sendable {
    private struct Entry: Sendable {
        let match: IgnoreMatch
        let isException: Bool
        let pattern: Glob
    }

    private let entries: [Entry]

    /// The patterns, cleaned as docker cleans them, `!` in front of exceptions.
    package let patterns: [String]

    /// Whether nothing is ignored.
    package var isEmpty: Bool { entries.isEmpty }

    /// Reads a `.dockerignore`; throws `.invalid` for a malformed pattern.
    package init(parsing text: String) throws(ShaleError) {
        try self.init(numbered: Self.lines(of: text))
    }

    /// Compiles patterns without comments and blank lines (`COPY --exclude`); throws `.invalid` for a malformed one.
    package init(patterns: [String]) throws(ShaleError) {
        try self.init(numbered: patterns.enumerated().map { ($0.offset + 1, $0.element, $0.element) })
    }

    private init(numbered: [(line: Int, written: String, pattern: String)]) throws(ShaleError) {
        var entries: [Entry] = []
        var patterns: [String] = []
        for (line, written, pattern) in numbered {
            let trimmed = pattern.trimmed
            guard !trimmed.isEmpty else { continue }
            let cleaned = CleanPath.clean(trimmed)
            patterns.append(cleaned)
            let isException = cleaned.hasPrefix("!")
            let body = isException ? String(cleaned.unicodeScalars.dropFirst()) : cleaned
            if body.isEmpty { throw ShaleError(.invalid, "illegal exclusion pattern: \"!\"") }
            guard let compiled = try? Glob(body, .ignore) else { throw ShaleError(.invalid, "syntax error in pattern") }
            entries.append(
                Entry(
                    match: IgnoreMatch(pattern: written, line: line), isException: isException, pattern: compiled))
        }
        self.entries = entries
        self.patterns = patterns
    }

    /// The patterns of a `.dockerignore`, each with its line: comments and blank lines gone, paths cleaned.
    static func lines(of text: String) -> [(line: Int, written: String, pattern: String)] {
        var found: [(line: Int, written: String, pattern: String)] = []
        var scalars = text.unicodeScalars[...]
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
        for (index, line) in scalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            // A comment has its sign in the first column.
            if line.first == "#" { continue }
            let written = line.trimmed
            guard let first = written.first else { continue }
            let isException = first == "!"
            let body = isException ? written.dropFirst().trimmed : written
            var pattern = body.isEmpty ? "" : CleanPath.clean(String(body))
            if pattern.utf8.count > 1, pattern.hasPrefix("/") { pattern.removeFirst() }
            found.append((index + 1, String(written), isException ? "!" + pattern : pattern))
        }
        return found
    }

    /// The pattern that ignores `path`, or `nil` if it belongs to the context.
    package func matches(_ path: String) -> IgnoreMatch? {
        decision(on: Array(path.unicodeScalars)).map { entries[$0].match }
    }

    /// Whether something below a directory may be in the context: the directory itself is, or an exception that comes
    /// after the pattern ignoring it could match below it.
    package func mayMatchBelow(_ directory: String) -> Bool {
        let path = Array(directory.unicodeScalars)
        guard let decisive = decision(on: path) else { return true }
        return entries[(decisive + 1)...].contains { $0.isException && $0.pattern.mayMatch(below: path) }
    }

    /// The place of the pattern by which a path is ignored.
    private func decision(on path: Scalars) -> Int? {
        var decisive: Int?
        for (index, entry) in entries.enumerated() where entry.isException == (decisive != nil) {
            if entry.pattern.matchesPathOrParent(path) { decisive = entry.isException ? nil : index }
        }
        return decisive
    }
}

/// Paths by text alone.
enum CleanPath {
    /// The shortest path that means the same, as Go's `path.Clean`: no `.`, no `x/..`, no doubled or trailing slash.
    static func clean(_ path: String) -> String {
        let isRooted = path.utf8.first == UInt8(ascii: "/")
        var parts: [Substring] = []
        for part in path.pathParts where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !isRooted {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        if isRooted { return "/" + joined }
        return joined.isEmpty ? "." : joined
    }
}
