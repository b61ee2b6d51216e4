package import Basics
import Glibc
import Linux

/// What `set` keeps: one `name = value` a line in `HOME/settings`; names that hold several values repeat.
package struct LastingSettings: Sendable {
    /// Names that may have several values.
    private static let lists: Set<String> = ["registry.mirror", "registry.insecure"]
    private let path: String
    private var lines: [(name: String, value: String)] = []

    /// Every setting and what it means, for `set` and Tab.
    package static let known: KeyValuePairs<String, String> = [
        "build.wording": "seed: the course's words; moby: today's docker's",
        "offline": "on: nothing is fetched",
        "registry.mirror": "HOST=URL: ask URL for what lies at HOST",
        "registry.insecure": "HOST: speak plain http to it",
        "search.endpoint": "URL of the search service for Docker Hub",
        "teach": "on: one line after each command about what it did",
        "undo.limit": "how many states of a session prune leaves for undo",
    ]

    static func load(home: String) -> LastingSettings {
        var settings = LastingSettings(path: "\(home)/settings")
        let text =
            (try? WholeFile.read(settings.path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let equals = line.range(of: " = ") else { continue }
            settings.lines.append((String(line[..<equals.lowerBound]), String(line[equals.upperBound...])))
        }
        return settings
    }

    private init(path: String) { self.path = path }

    package subscript(name: String) -> String? { lines.last { $0.name == name }?.value }

    package var all: [(name: String, value: String)] { lines }

    package func list(of name: String) -> [String] { lines.filter { $0.name == name }.map(\.value) }

    /// Sets a value, or adds it where a name holds several; `nil` takes all of the name's values away.
    package mutating func set(_ name: String, to value: String?) throws(ShaleError) {
        guard Self.known.contains(where: { $0.key == name }) else {
            let near = Suggestion.nearest(to: name, among: Self.known.map(\.key)).first
            throw ShaleError(.usage, "no setting \"\(name.visible)\"", hint: near.map { "set \($0) VALUE" } ?? "set")
        }
        if let value, value.contains("\n") { throw ShaleError(.usage, "a setting is one line") }
        if value == nil || !Self.lists.contains(name) { lines.removeAll { $0.name == name } }
        if let value, !lines.contains(where: { $0 == (name, value) }) { lines.append((name, value)) }
        let text = lines.map { "\($0.name) = \($0.value)\n" }.joined()
        let path = path
        try translating("settings") {
            let folder = path.dropLast("/settings".count)
            if mkdir(String(folder), 0o700) == -1, errno != EEXIST {
                throw SystemCallError("mkdir", path: String(folder))
            }
            try WholeFile.replace(path, with: Array(text.utf8))
        }
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
