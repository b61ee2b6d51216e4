import Layers

/// A map from path to a line of text.
///
/// Paths are compared by their bytes, not by Unicode equivalence.
package struct PathLines: Sendable, Equatable {
    private var lines: [PathKey: String] = [:]

    package init() {}

    package var isEmpty: Bool { lines.isEmpty }
    package var count: Int { lines.count }
    /// All paths, in byte order.
    package var paths: [String] { lines.keys.map(\.path).sorted { PathOrder.precedes($0, $1) } }

    package subscript(path: String) -> String? {
        get { lines[PathKey(path)] }
        set { lines[PathKey(path)] = newValue }
    }

    mutating func merge(_ other: PathLines) { lines.merge(other.lines) { _, new in new } }

    /// The paths whose lines differ, or that only one of the two has.
    func differences(from other: PathLines) -> [String] {
        let all = Set(lines.keys).union(other.lines.keys)
        return all.filter { lines[$0] != other.lines[$0] }.map(\.path).sorted { PathOrder.precedes($0, $1) }
    }
}

/// Encoded as a list, path and line in turn: some JSON readers merge two keys that are equivalent in Unicode.
extension PathLines: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let list = try? container.decode([String].self) {
            for place in stride(from: 0, to: list.count - list.count % 2, by: 2) { self[list[place]] = list[place + 1] }
        } else {
            // The format of an earlier version of shale.
            for (path, line) in try container.decode([String: String].self) { self[path] = line }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(paths.flatMap { [$0, self[$0] ?? ""] })
    }
}
