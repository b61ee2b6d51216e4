import Layers

/// A line of text for each of many paths: names that look alike and differ in their bytes are two.
package struct PathLines: Sendable, Equatable {
    private var lines: [PathKey: String] = [:]

    package init() {}

    package var isEmpty: Bool { lines.isEmpty }
    package var count: Int { lines.count }
    /// In the order of their bytes.
    package var paths: [String] { lines.keys.map(\.path).sorted { PathOrder.precedes($0, $1) } }

    package subscript(path: String) -> String? {
        get { lines[PathKey(path)] }
        set { lines[PathKey(path)] = newValue }
    }

    mutating func merge(_ other: PathLines) { lines.merge(other.lines) { _, new in new } }

    /// The paths that have not the same line in both.
    func differences(from other: PathLines) -> [String] {
        let all = Set(lines.keys).union(other.lines.keys)
        return all.filter { lines[$0] != other.lines[$0] }.map(\.path).sorted { PathOrder.precedes($0, $1) }
    }
}

/// As a list, path and line in turn: not every reader of JSON keeps two keys that look alike.
extension PathLines: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let list = try? container.decode([String].self) {
            for place in stride(from: 0, to: list.count - list.count % 2, by: 2) { self[list[place]] = list[place + 1] }
        } else {
            // An older shale's.
            for (path, line) in try container.decode([String: String].self) { self[path] = line }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(paths.flatMap { [$0, self[$0] ?? ""] })
    }
}
