package import Basics
package import Containers
package import Images
package import Layers
package import Linux
package import Stores

/// What a container wrote above its image's layers, as the layer that a commit would make of it; found on first use.
///
/// For one thread.
package final class ContainerLayer {
    package let record: ContainerRecord
    /// The directory it writes to.
    let root: RootDirectory
    /// Mount points that the engine made in it, which are none of its changes.
    package let stubs: Set<String>
    private let find: () throws(ShaleError) -> [Change]
    private var known: (changes: [Change], index: LayerIndex)?

    /// `changes` answers what the container changed, sorted by path.
    package init(
        _ record: ContainerRecord, root: RootDirectory, stubs: Set<String> = [],
        changes: @escaping () throws(ShaleError) -> [Change]
    ) {
        self.record = record
        self.root = root
        self.stubs = stubs
        find = changes
    }

    /// What a container wrote itself, as a layer.
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

    /// All that it changed, as `diff` shows it.
    ///
    /// Throws what finding the container's changes throws.
    package func changes() throws(ShaleError) -> [Change] { try read().changes }

    /// The same as a layer has it.
    func index() throws(ShaleError) -> LayerIndex { try read().index }

    /// How many paths it adds, changes and removes.
    func count() throws(ShaleError) -> ChangeCount {
        let changes = try changes()
        return ChangeCount(
            added: changes.count { $0.kind == .added },
            changed: changes.count { $0.kind == .changed && !$0.isParentOnly },
            deleted: changes.count { $0.kind == .deleted })
    }

    /// What it did, as the highest line of a history.
    ///
    /// Throws what finding the container's changes throws.
    package func historyRow(number: Int) throws(ShaleError) -> HistoryRow {
        HistoryRow(of: record, number: number, try index())
    }

    /// Bytes of its files.
    func bytes() throws(ShaleError) -> Int64 { try index().entries.reduce(0) { $0 &+ $1.size } }
}
