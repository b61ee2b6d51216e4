import Basics
import Linux

/// `*`, `?` and `[…]` in a source of `cp`, looked up below a root.
enum CopyPattern {
    /// The paths a pattern names, sorted; names with a leading dot only where the pattern has one.
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
