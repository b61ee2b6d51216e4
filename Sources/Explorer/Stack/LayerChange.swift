package import Layers

/// What one layer does to a path, seen against the layers below it.
package struct LayerChange: Sendable, Hashable {
    package var kind: Change.Kind
    package var path: String
    /// What the layer has; `nil` for a deletion.
    package var entry: LayerEntry?
    /// What stood there, and the layer that put it there; `nil` for an addition.
    package var before: LayerEntry?
    package var beforeLayer: Int?
    /// What differs; empty for a file that was written again as it was.
    package var reasons: Set<Change.Reason>
    /// Bytes of files that cannot be seen any more, by the layer that holds them.
    package var hidden: [Int: Int64]

    package var hiddenBytes: Int64 { hidden.values.reduce(0) { $0 &+ $1 } }
    package var line: String { "\(kind.rawValue) \(path)" }
}

/// How many paths a layer adds, changes and removes.
package struct ChangeCount: Sendable, Hashable {
    package var added = 0
    package var changed = 0
    package var deleted = 0

    package init(added: Int = 0, changed: Int = 0, deleted: Int = 0) {
        self.added = added
        self.changed = changed
        self.deleted = deleted
    }

    package init(_ changes: some Sequence<LayerChange>) {
        for change in changes {
            switch change.kind {
            case .added: added += 1
            case .changed: changed += 1
            case .deleted: deleted += 1
            }
        }
    }

    package var text: String { "+\(added) ~\(changed) -\(deleted)" }
}
