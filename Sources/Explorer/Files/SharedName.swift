import Layers

/// By which of its names a file of several hard links is called.
enum SharedName {
    /// Programs that are many commands in one and are known by their own name.
    private static let multiCall: Set<String> = ["busybox", "toybox", "coreutils"]

    /// The name people know: of a program that is many, its own; else the one that all others begin with (`git` of
    /// `git-add`); else the first by path.
    ///
    /// The name that an archive writes first has no meaning: it comes from the order of a directory on a disk.
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
