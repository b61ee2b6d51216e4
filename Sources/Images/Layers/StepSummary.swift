import Basics
package import Layers

/// What one step's layer changed, as the prompt shows it.
package struct StepSummary: Sendable, Hashable, Codable {
    package var added = 0
    package var changed = 0
    package var deleted = 0
    /// Bytes of file content the layer holds.
    package var bytes: Int64 = 0
    /// The first few paths, each with its letter (`A /etc/x`); directories that only lead to one are left out.
    package var firstPaths: [String] = []

    package static let none = StepSummary()
    private static let shown = 5

    package init() {}

    package init(_ changes: [Change], bytes: Int64) {
        self.bytes = bytes
        for change in changes {
            let isParentOnly = change.isParentOnly
            switch change.kind {
            case .added: added += 1
            case .changed: if !isParentOnly { changed += 1 }
            case .deleted: deleted += 1
            }
            if !isParentOnly, firstPaths.count < Self.shown {
                firstPaths.append("\(change.kind.rawValue) \(change.path)")
            }
        }
    }

    package var isEmpty: Bool { added + changed + deleted == 0 }
}
