import Linux

/// What a line of a recorded shell left in the folder beside its files.
package struct LineReport {
    /// The file that process 1 writes.
    package static let typedAheadName = "typed-ahead"
    /// The most that is read of one file: 16 MiB.
    private static let limit = 16 << 20

    /// The files that its shell wrote, by name; empty when the shell was killed while it wrote.
    package private(set) var files: [String: [UInt8]] = [:]
    /// What was typed while it ran, and nobody read.
    package private(set) var typedAhead: [UInt8] = []

    /// Reads a folder of the host's; its files are the container's to write.
    package init(in folder: String) {
        guard let root = try? RootDirectory(hostPath: folder), var names = try? root.names(in: "/") else { return }
        if let index = names.firstIndex(of: Self.typedAheadName) {
            names.remove(at: index)
            // A control character that ended a line is a zero byte here.
            typedAhead = ((try? root.contents(of: Self.typedAheadName, limit: 1 << 16)) ?? []).filter { $0 != 0 }
        }
        guard names.contains("complete") else { return }
        for name in names { files[name] = try? root.contents(of: name, limit: Self.limit) }
    }
}
