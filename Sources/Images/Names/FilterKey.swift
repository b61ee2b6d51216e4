import Basics

/// A filter name of `--filter`, with its possible values when there is a fixed list.
package struct FilterKey: Sendable {
    package let name: String
    package let values: [String]

    package init(_ name: String, _ values: [String] = []) {
        self.name = name
        self.values = values
    }

    /// The hint for it, such as `--filter status=created|running`.
    package var hint: String { "--filter \(name)=\(values.isEmpty ? "VALUE" : values.joined(separator: "|"))" }

    /// The hint with all filter names.
    package static func hint(_ keys: [FilterKey]) -> String { "filters: " + keys.map(\.name).joined(separator: ", ") }
}
