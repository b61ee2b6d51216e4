import Basics
import Glibc
import Linux

/// `*`, `?` and `[…]` in a source of `cp`, looked up below a root.
enum CopyPattern {
    static func isPattern(_ path: String) -> Bool { path.contains { $0 == "*" || $0 == "?" || $0 == "[" } }

    /// The paths a pattern names, sorted; names with a leading dot only where the pattern has one.
    static func matches(_ pattern: String, in root: RootDirectory) -> [String] {
        var found = [""]
        for part in pattern.pathParts.map(String.init) {
            guard isPattern(part) else {
                found = found.map { "\($0)/\(part)" }
                continue
            }
            found = found.flatMap { folder in
                let names = (try? root.names(in: folder.isEmpty ? "/" : folder)) ?? []
                return names.filter { name in
                    part.withPath { pattern in name.withPath { fnmatch(pattern, $0, FNM_PERIOD | FNM_PATHNAME) } } == 0
                }.map { "\(folder)/\($0)" }
            }
        }
        return found.filter { (try? root.status($0)) != nil }
    }
}
