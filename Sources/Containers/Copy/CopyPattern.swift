import Basics
import Linux

/// Patterns with `*`, `?` and `[…]` in a source of `cp`.
enum CopyPattern {
    /// The sorted paths that match a pattern.
    ///
    /// A name with a leading dot matches only a pattern with a leading dot.
    static func matches(_ pattern: String, in root: RootDirectory) -> [String] {
        var found = [""]
        for part in pattern.pathParts.map(String.init) {
            guard Glob.isPattern(part), let glob = try? Glob(part, .fileName) else {
                found = found.map { "\($0)/\(part)" }
                continue
            }
            found = found.flatMap { folder in
                let names = (try? root.names(in: folder.isEmpty ? "/" : folder)) ?? []
                return names.filter(glob.matches).map { "\(folder)/\($0)" }
            }
        }
        return found.filter { (try? root.status($0)) != nil }
    }
}
