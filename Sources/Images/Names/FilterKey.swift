import Basics

/// A name that `--filter` knows, with the values it can have where they can be listed.
package struct FilterKey: Sendable {
    package let name: String
    package let values: [String]

    package init(_ name: String, _ values: [String] = []) {
        self.name = name
        self.values = values
    }

    /// What to type for it: `--filter status=created|running`.
    package var hint: String { "--filter \(name)=\(values.isEmpty ? "VALUE" : values.joined(separator: "|"))" }

    /// All that there are.
    package static func hint(_ keys: [FilterKey]) -> String { "filters: " + keys.map(\.name).joined(separator: ", ") }
}
