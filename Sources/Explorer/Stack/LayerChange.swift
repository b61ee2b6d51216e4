package import Layers

/// What a layer does to a path, compared with the layers below.
package struct LayerChange: Sendable, Hashable {
    package var kind: Change.Kind
    package var path: String
    /// The layer's entry; `nil` for a deletion.
    package var entry: LayerEntry?
    /// The entry before, and its layer; `nil` for an addition.
    package var before: LayerEntry?
    package var beforeLayer: Int?
    /// What differs; empty for a file that was written again unchanged.
    package var reasons: Set<Change.Reason>
    /// Bytes of files that the change hides, by the layer that contains them.
    package var hidden: [Int: Int64]

    package var hiddenBytes: Int64 { hidden.values.reduce(0) { $0 &+ $1 } }
    package var line: String { "\(kind.rawValue) \(path)" }
}

/// The number of paths that a layer adds, changes and deletes.
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
