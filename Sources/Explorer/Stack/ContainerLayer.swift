package import Basics
package import Containers
package import Images
package import Layers
package import Linux
package import Stores

/// A container's changes as the layer that a commit would make, found when first needed.
///
/// Not thread-safe.
package final class ContainerLayer {
    package let record: ContainerRecord
    /// The container's upper directory.
    let root: RootDirectory
    /// Mount points that shale created there.
    ///
    /// They do not count as changes.
    package let stubs: Set<String>
    private let find: () throws(ShaleError) -> [Change]
    private var known: (changes: [Change], index: LayerIndex)?

    /// `changes` returns the container's changes, sorted by path.
    package init(
        _ record: ContainerRecord, root: RootDirectory, stubs: Set<String> = [],
        changes: @escaping () throws(ShaleError) -> [Change]
    ) {
        self.record = record
        self.root = root
        self.stubs = stubs
        find = changes
    }

    /// The changes of a container as a layer.
    ///
    /// Throws what opening the container's folder throws.
    package convenience init(_ record: ContainerRecord, engine: ContainerEngine) throws(ShaleError) {
        self.init(
            record, root: try engine.ownDirectory(of: record), stubs: engine.mountStubs(of: record)
        ) { () throws(ShaleError) in try engine.changes(of: record) }
    }

    private func read() throws(ShaleError) -> (changes: [Change], index: LayerIndex) {
        if let known { return known }
        let changes = try find()
        let read = (changes, try LayerIndex(of: changes, in: root))
        known = read
        return read
    }

    /// All changes, as `diff` shows them.
    ///
    /// Throws what finding the container's changes throws.
    package func changes() throws(ShaleError) -> [Change] { try read().changes }

    /// The changes as a layer's index.
    func index() throws(ShaleError) -> LayerIndex { try read().index }

    /// The number of paths that the container added, changed and deleted.
    func count() throws(ShaleError) -> ChangeCount {
        let changes = try changes()
        return ChangeCount(
            added: changes.count { $0.kind == .added },
            changed: changes.count { $0.kind == .changed && !$0.isParentOnly },
            deleted: changes.count { $0.kind == .deleted })
    }

    /// The changes as the top line of a history.
    ///
    /// Throws what finding the container's changes throws.
    package func historyRow(number: Int) throws(ShaleError) -> HistoryRow {
        HistoryRow(of: record, number: number, try index())
    }

    /// The bytes of its files.
    func bytes() throws(ShaleError) -> Int64 { try index().entries.reduce(0) { $0 &+ $1.size } }
}
