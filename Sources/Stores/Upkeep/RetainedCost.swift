package import Basics
import Linux
package import OCI

/// The disk space of content that only sessions need.
package struct RetainedCost: Sendable, Hashable {
    package var images = 0
    package var containers = 0
    /// How many bytes its removal would free.
    package var bytes: Int64 = 0

    package var isNothing: Bool { images == 0 && containers == 0 && bytes == 0 }
}

extension Store {
    /// Measures the content that could be removed if sessions kept only `current`, their current working images.
    ///
    /// Throws what taking the lock or reading the store throws.
    package func retainedCost(keeping current: Set<Digest>) throws(ShaleError) -> RetainedCost {
        let roots = try sessionRoots()
        let uses = try imageUses()
        return try lock.quietly { () throws(ShaleError) in
            let table = try names.table()
            let now = try Reachability.of(self, table: pruned(table, uses, roots.digests), sessions: roots)
            let rest = try Reachability.of(
                self, table: pruned(table, uses, current), sessions: SessionRoots(digests: current))
            var cost = RetainedCost()
            for blob in now.blobs.subtracting(rest.blobs) { cost.bytes &+= (try? blobs.size(blob)) ?? 0 }
            for (name, _) in try layers.all() where now.layers.contains(name) && !rest.layers.contains(name) {
                cost.bytes &+= layers.size(named: name)?.content ?? 0
            }
            let entries = (table.entries + (try images.retained.table().entries)).compactMap(\.image)
            cost.images = Set(entries).count { now.blobs.contains($0) && !rest.blobs.contains($0) }
            for id in try containers.trashIdentifiers() where roots.containers.contains(id) {
                cost.containers += 1
                cost.bytes &+= (try? FileTree.usage(of: containers.trashFolder(id).upper).bytes) ?? 0
            }
            return cost
        }
    }

    /// The table without the images that `prune` would remove, when `kept` stay.
    func pruned(_ table: ImageTable, _ uses: [ImageUse], _ kept: Set<Digest>) -> ImageTable {
        let retained = kept.map { ImageUse(container: "", image: $0, isRunning: false) }
        var table = table
        for step in ImageRemoval.planPrune(in: table, uses: uses + retained).steps {
            ImageRemoval.apply(step, of: nil, to: &table)
        }
        return table
    }
}
