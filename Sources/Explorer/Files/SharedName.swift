import Basics
import Layers

/// Chooses the name under which a file with several hard links is shown.
enum SharedName {
    /// Programs that contain many commands and are known by their own name.
    private static let multiCall: Set<String> = ["busybox", "toybox", "coreutils"]

    /// The best-known name: the own name of a multi-call program, or the name with which all others begin (`git` of
    /// `git-add`), or the first path.
    ///
    /// The first name in an archive is not used, because it depends on the order of a directory on disk.
    static func best(_ paths: [String]) -> String? {
        let sorted = paths.sorted(by: PathOrder.precedes)
        if let own = sorted.first(where: { multiCall.contains($0.lastPathComponent) }) { return own }
        let names = sorted.map(\.lastPathComponent)
        if let shortest = names.min(by: { $0.utf8.count < $1.utf8.count }), shortest.utf8.count > 1,
            names.allSatisfy({ $0.hasPrefix(shortest) })
        {
            return sorted.first { $0.lastPathComponent == shortest }
        }
        return sorted.first
    }
}
