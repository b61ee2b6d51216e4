package import Basics
import Linux
package import OCI

/// What a collection took, or would take.
package struct Collected: Sendable, Hashable {
    package var blobs: [Digest] = []
    /// Diff IDs of unpacked layers.
    package var layers: [Digest] = []
    /// Bytes of both.
    package var bytes: Int64 = 0
    /// What dead processes left half-made, in words.
    package var leftovers: [String] = []

    package init() {}
}

/// What a removal did, in docker's order.
package struct RemovedImages: Sendable, Hashable {
    /// One line of `rmi`.
    package enum Line: Sendable, Hashable, CustomStringConvertible {
        case untagged(String)
        /// An image's id or a freed layer's chain ID.
        case deleted(Digest)

        package var description: String {
            switch self {
            case .untagged(let name): "Untagged: \(name)"
            case .deleted(let digest): "Deleted: \(digest)"
            }
        }
    }

    package var lines: [Line] = []
    /// The entries as they were, for `ImageStore.restore`.
    package var entries: [ImageEntry] = []
    package var collected = Collected()
}

extension Store {
    /// Removes what nothing leads to: no name, no kept image, no container, no session, no running operation.
    package func collect(dryRun: Bool = false) throws(ShaleError) -> Collected {
        try ingest.prepare()
        if !dryRun { ingest.sweepLeftovers() }
        var moved: [String] = []
        let collected = try lock.exclusively { () throws(ShaleError) in
            let everything = Contents(
                blobs: Set(try blobs.all()), layers: Dictionary(uniqueKeysWithValues: try layers.all()))
            let roots = try sessionRoots()
            // The notes of what was held first: cut short, nothing is said to be there that is gone.
            let aside = try sweepHeld(roots, dryRun: dryRun, moved: &moved)
            var collected = try sweep(
                everything, table: try names.table(), roots: roots, dryRun: dryRun, moved: &moved)
            collected.bytes &+= aside
            collected.leftovers = try containers.sweepHalfMade(dryRun: dryRun)
            return collected
        }
        for place in moved { try ingest.removeMoved(place) }
        return collected
    }

    /// Does what was planned, against the table as it is now, and frees what nothing leads to any more.
    ///
    /// `plan` is asked under the lock; what it throws leaves everything as it was. What `session` is given for, or any
    /// session can come back to anyway, is kept out of sight and can be brought back.
    package func removeImages(
        dryRun: Bool = false, heldBy session: SessionFolder? = nil,
        _ plan: (ImageTable) throws(ShaleError) -> ImageRemoval
    ) throws(ShaleError) -> RemovedImages {
        // Entries that another tool wrote get their ids before the lock is taken.
        _ = try images.all(includingIntermediate: true)
        try ingest.prepare()
        var moved: [String] = []
        let removed = try lock.exclusively { () throws(ShaleError) in
            let before = try names.table()
            let removal = try plan(before)
            var result = RemovedImages()
            let after = try carryOut(removal, from: before, into: &result)
            guard after != before else { return result }
            let remaining = Set(after.entries.compactMap(\.image))
            let gone = before.entries.filter { entry in entry.image.map { !remaining.contains($0) } ?? false }
            if let session, !dryRun {
                try session.addRoots(SessionRoots(digests: Set(gone.compactMap(\.image))))
                try images.hold(gone)
                try names.replace(before, with: after)
                return result
            }
            let roots = try sessionRoots()
            let held = gone.filter { entry in
                roots.digests.contains(entry.manifest.digest)
                    || entry.image.map { roots.digests.contains($0) } ?? false
            }
            let freed = try candidates(result.entries)
            if !dryRun {
                if !held.isEmpty { try images.hold(held) }
                try names.replace(before, with: after)
            }
            if !freed.blobs.isEmpty {
                result.collected = try sweep(freed, table: after, roots: roots, dryRun: dryRun, moved: &moved)
            }
            return result
        }
        for place in moved { try ingest.removeMoved(place) }
        return removed
    }

    /// `rmi` of one argument.
    package func removeImage(_ text: String, uses: [ImageUse], force: Bool = false) throws(ShaleError) -> RemovedImages
    {
        try removeImages { table throws(ShaleError) in
            try ImageRemoval.plan(text, in: table, uses: uses, force: force)
        }
    }

    /// The containers as users of images; `isRunning` tells of each whether its process lives.
    package func imageUses(
        isRunning: (ContainerRecord, ContainerState) -> Bool = { $1.isRunning }
    ) throws(ShaleError) -> [ImageUse] {
        try containers.all().map { record in
            ImageUse(
                container: record.id, image: record.image, isRunning: isRunning(record, containers.state(record.id)))
        }
    }

    private func carryOut(
        _ removal: ImageRemoval, from before: ImageTable, into result: inout RemovedImages
    ) throws(ShaleError) -> ImageTable {
        var table = before
        let deleted = removal.steps.compactMap { step in if case .delete(let id) = step { id } else { nil } }
        var chains = try deleted.isEmpty ? [:] : chainCounts(before)
        for step in removal.steps {
            switch step {
            case .untag(let reference):
                if let entry = table.entry(named: reference) { result.entries.append(entry) }
                result.lines.append(.untagged(reference.familiar))
            case .delete(let id):
                result.entries += before.entries(of: id).filter { !result.entries.contains($0) }
                result.lines.append(.deleted(id))
                for chain in chainIDs(config: id).reversed() {
                    chains[chain, default: 1] -= 1
                    if chains[chain] == 0 { result.lines.append(.deleted(chain)) }
                }
            }
            ImageRemoval.apply(step, of: nil, to: &table)
        }
        return table
    }

    /// How many images and containers stand on each chain of layers.
    private func chainCounts(_ table: ImageTable) throws(ShaleError) -> [Digest: Int] {
        var counts: [Digest: Int] = [:]
        for id in Set(table.entries.compactMap(\.image)) {
            for chain in chainIDs(config: id) { counts[chain, default: 0] += 1 }
        }
        for container in try containers.all() {
            for chain in chainIDs(config: container.image) { counts[chain, default: 0] += 1 }
        }
        return counts
    }

    private func chainIDs(config digest: Digest) -> [Digest] {
        guard let bytes = try? blobs.bytes(digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        else { return [] }
        return LayerStore.stack(of: config).map { layer in
            Digest.chainID([layer.parentChain, layer.diffID].compactMap(\.self)) ?? layer.diffID
        }
    }

    /// What images consist of: all that removing them may free.
    private func candidates(_ entries: [ImageEntry]) throws(ShaleError) -> Contents {
        var marks = Reachability(self)
        for entry in entries { try marks.manifest(entry.manifest.digest, what: entry.refName) }
        let unpacked = try layers.all().filter { marks.layers.contains($0.name) }
        return Contents(
            blobs: marks.blobs.filter { blobs.contains($0) }, layers: Dictionary(uniqueKeysWithValues: unpacked))
    }

    /// Lets go of held images and containers aside that no session can come back to; answers the containers' bytes.
    ///
    /// Under the lock.
    private func sweepHeld(
        _ roots: SessionRoots, dryRun: Bool, moved: inout [String]
    ) throws(ShaleError) -> Int64 {
        var bytes: Int64 = 0
        if !dryRun {
            try images.held.updateLocked { table in
                table.keep { entry in
                    roots.digests.contains(entry.manifest.digest)
                        || entry.image.map { roots.digests.contains($0) } ?? false
                }
            }
        }
        for id in try containers.asideIdentifiers() where !roots.containers.contains(id) {
            let folder = containers.asideFolder(id)
            bytes &+= (try? FileTree.usage(of: folder.upper).bytes) ?? 0
            if !dryRun, let place = try ingest.moveAway(folder.path) { moved.append(place) }
        }
        return bytes
    }

    /// Removes those blobs, and moves those layers away, that nothing leads to.
    ///
    /// Under the lock.
    private func sweep(
        _ contents: Contents, table: ImageTable, roots: SessionRoots, dryRun: Bool, moved: inout [String]
    ) throws(ShaleError) -> Collected {
        let marks = try Reachability.of(self, table: table, sessions: roots)
        let held = try ingest.heldDigests()
        var collected = Collected()
        for digest in contents.blobs.sorted() where !marks.blobs.contains(digest) && !held.contains(digest.hex) {
            collected.blobs.append(digest)
            collected.bytes += (try? blobs.size(digest)) ?? 0
            if !dryRun { try blobs.remove(digest) }
        }
        for (name, diffID) in contents.layers.sorted(by: { $0.key < $1.key }) {
            guard !marks.layers.contains(name), !held.contains(diffID.hex) else { continue }
            let path = "\(paths.layers)/\(name)"
            collected.layers.append(diffID)
            collected.bytes += layers.size(named: name)?.content ?? (try? FileTree.usage(of: path).bytes) ?? 0
            if !dryRun, let place = try ingest.moveAway(path) { moved.append(place) }
        }
        return collected
    }
}

/// Blobs, and folders of unpacked layers with their diff IDs.
private struct Contents {
    var blobs: Set<Digest>
    var layers: [String: Digest]
}
