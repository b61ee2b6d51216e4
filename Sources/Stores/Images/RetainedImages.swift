package import Basics
package import OCI

/// Retained images: they were removed or undone, and a session can bring them back. No listing shows them.
extension ImageStore {
    /// Whether an image is in the store, listed or retained.
    ///
    /// Throws what reading the names throws.
    package func isThere(_ id: Digest) throws(ShaleError) -> Bool {
        try listedOrRetainedEntry(id, in: names.table()) != nil
    }

    /// Lists retained images again.
    ///
    /// Images that are listed already or were collected are skipped.
    ///
    /// Throws what reading or writing the names throws.
    package func revive(_ ids: some Sequence<Digest>) throws(ShaleError) {
        let retained = try retained.table()
        let wanted = ids.filter { !retained.entries(of: $0).isEmpty }
        guard !wanted.isEmpty else { return }
        try names.update { table throws(ShaleError) in
            for id in wanted where table.entries(of: id).isEmpty {
                for entry in retained.entries(of: id) { table.insert(entry) }
            }
        }
    }

    /// Moves names, and lists or unlists images, with one write.
    ///
    /// An image to hide stays listed when it has a name, when a container uses it, or when another image was built on
    /// it.
    /// `isUsed` is called under the lock. Throws `conflict`, and changes nothing, when a name has moved meanwhile or
    /// the
    /// content of its new target was collected.
    package func move(_ moves: TableMoves, isUsed: (Digest) -> Bool) throws(ShaleError) {
        guard !moves.isEmpty else { return }
        try lock.exclusively { () throws(ShaleError) in
            let old = try names.table()
            var table = old
            if !moves.shown.isEmpty { table.show(moves.shown, from: try retained.table()) }
            table.setNames(try targets(of: moves.names, in: table))
            let hidden = table.hideable(moves.hidden, isUsed: isUsed)
            let gone =
                table.entries.filter { $0.image.map(hidden.contains) ?? false }
                + table.hideableIndexes(moves.hidden)
            // The retained table is written first. After an interruption an image is in both tables, which does no
            // harm.
            if !gone.isEmpty { try hold(gone) }
            let goneEntries = Set(gone)
            table.keep { !goneEntries.contains($0) }
            if table != old { try names.replace(old, with: table) }
        }
    }

    /// The new targets of those names that do not have them already.
    private func targets(
        of moves: [TableMoves.Name], in table: ImageTable
    ) throws(ShaleError) -> [String: ImageEntry?] {
        guard !moves.isEmpty else { return [:] }
        let now = table.namedEntries
        var targets: [String: ImageEntry?] = [:]
        for move in moves {
            let name = move.reference.description
            let digest = now[name]?.manifest.digest
            if digest == move.target?.manifest.digest { continue }
            guard digest == move.expected?.manifest.digest else {
                throw ShaleError(
                    .conflict, "the name \(move.reference.familiar) was moved meanwhile",
                    hint: "reflog \(move.reference.familiar)")
            }
            if let target = move.target, !blobs.contains(target.manifest.digest) {
                throw ShaleError(
                    .conflict, "image \(target.manifest.digest): its content has been collected")
            }
            targets.updateValue(move.target, forKey: name)
        }
        return targets
    }

    /// All images in the store, listed or retained, and all indexes by their own digests.
    ///
    /// Throws what reading the names throws.
    package func allThere() throws(ShaleError) -> Set<Digest> {
        let entries = try names.table().entries + retained.table().entries
        return Set(entries.compactMap(\.image)).union(entries.filter(\.isIndex).map(\.manifest.digest))
    }

    /// The images that only sessions can bring back.
    ///
    /// Throws what reading the file throws.
    package func retainedTable() throws(ShaleError) -> ImageTable { try retained.table() }

    /// Adds the images of an imported session; returns the names that were not set, because they belong to other
    /// images.
    ///
    /// Their blobs must be in the store, and the session must keep them. Throws what taking the lock or writing the
    /// names
    /// throws.
    package func adopt(listed: [ImageEntry], retained: [ImageEntry]) throws(ShaleError) -> [Reference] {
        try lock.exclusively { () throws(ShaleError) in
            try hold(retained)
            return try names.updateLocked { table throws(ShaleError) in
                var left: [Reference] = []
                for entry in listed {
                    if let name = entry.name, let own = table.entry(named: name), !own.isSameImage(as: entry) {
                        left.append(name)
                        table.insert(entry.named(nil))
                    } else {
                        table.insert(entry)
                    }
                }
                return left
            }
        }
    }

    /// Adds entries to the retained images.
    ///
    /// Called under the store's lock.
    func hold(_ entries: some Sequence<ImageEntry>) throws(ShaleError) {
        try retained.updateLocked { table throws(ShaleError) in
            var all = table.entries.map { $0.named(nil) }
            var places = Dictionary(
                all.enumerated().map { ($1.unnamedKey, $0) }, uniquingKeysWith: { first, _ in first })
            for entry in entries {
                if let place = places[entry.unnamedKey] {
                    all[place] = entry.named(nil).merged(with: all[place])
                } else {
                    places[entry.unnamedKey] = all.count
                    all.append(entry.named(nil))
                }
            }
            table.replaceEntries(all)
        }
    }
}

extension ImageTable {
    /// Lists retained entries again: those of images that have no entry here, and indexes that have none.
    mutating func show(_ wanted: Set<Digest>, from retained: ImageTable) {
        let listed = Set(entries.compactMap(\.image))
        var shown = Set(entries.filter(\.isIndex).map(\.manifest.digest))
        for entry in retained.entries {
            guard let image = entry.image else { continue }
            let isWanted =
                listed.contains(image)
                ? entry.isIndex && wanted.contains(entry.manifest.digest) : wanted.contains(image)
            guard isWanted, shown.insert(entry.unnamedKey).inserted else { continue }
            append(entry)
        }
    }
}
