package import Basics
import Linux
package import OCI
package import RunnerProtocol

/// The content that a collection removed, or would remove.
package struct Collected: Sendable, Hashable {
    package var blobs: [Digest] = []
    /// Diff IDs of unpacked layers.
    package var layers: [Digest] = []
    /// The size of blobs and layers, in bytes.
    package var bytes: Int64 = 0
    /// Descriptions of unfinished files that processes left when they were killed.
    package var leftovers: [String] = []

    package init() {}
}

/// The results of a removal, in docker's order.
package struct RemovedImages: Sendable, Hashable {
    /// One line of `rmi`.
    package enum Line: Sendable, Hashable, CustomStringConvertible {
        case untagged(String)
        /// The ID of a removed image.
        case deleted(Digest)
        /// The chain ID of a layer that no other image has.
        case freed(Digest)

        package var description: String {
            switch self {
            case .untagged(let name): "Untagged: \(name)"
            case .deleted(let digest), .freed(let digest): "Deleted: \(digest)"
            }
        }

        /// A short description of a planned removal; `nil` for a layer, which is removed together with its image.
        package var plan: String? {
            switch self {
            case .untagged(let name): "untag: \(name)"
            case .deleted(let digest): "delete: \(digest.short)"
            case .freed: nil
            }
        }
    }

    package var lines: [Line] = []
    /// Whether the content was removed for good, because a full disk had no space to retain it for a session.
    package var isGoneForGood = false
    /// The removed entries, for `ImageStore.restore`.
    package var entries: [ImageEntry] = []
    package var collected = Collected()
}

extension Store {
    /// Removes content that nothing needs: no name, no image, no container, no session and no running operation.
    ///
    /// Throws what taking the lock, reading the store or removing the files throws.
    package func collect(dryRun: Bool = false) throws(ShaleError) -> Collected {
        if !dryRun { ingest.sweepLeftovers() }
        let exclusion = try exclusion()
        var moved: [String] = []
        let collected = try lock.exclusively { () throws(ShaleError) in
            let everything = Contents(
                blobs: Set(try blobs.all()), layers: Dictionary(uniqueKeysWithValues: try layers.all()))
            var roots = try sessionRoots()
            try keepLeased(&roots, exclusion)
            let sweep = Sweep(table: try names.table(), roots: roots, exclusion: exclusion, dryRun: dryRun)
            // The notes about retained images are removed first: when this is interrupted, no note names content that
            // is gone.
            let aside = try sweepRetained(sweep, moved: &moved)
            var collected = try self.sweep(everything, sweep, moved: &moved)
            collected.bytes &+= aside
            collected.leftovers = try containers.sweepHalfMade(dryRun: dryRun)
            return collected
        }
        for place in moved { try ingest.removeMoved(place) }
        return collected
    }

    /// Removes images as `plan` says for the current table, and then the content that nothing needs any more.
    ///
    /// `plan` is called under the lock. When it throws, nothing is changed. With a session, or when a session can
    /// return to an image, the image is retained: no listing shows it, and it can be brought back. Throws what `plan`,
    /// taking the lock, or reading or changing the store throws.
    package func removeImages(
        dryRun: Bool = false, retainedBy session: SessionFolder? = nil,
        _ plan: (ImageTable) throws(ShaleError) -> ImageRemoval
    ) throws(ShaleError) -> RemovedImages {
        try removeImages(dryRun: dryRun, retainedBy: session) { (table, _, _) throws(ShaleError) in try plan(table) }
    }

    /// Does the same.
    ///
    /// `plan` also gets what sessions can return to, and can ask whether nobody has a lease on an image.
    func removeImages(
        dryRun: Bool, retainedBy session: SessionFolder?,
        _ plan: (ImageTable, SessionRoots, Exclusion) throws(ShaleError) -> ImageRemoval
    ) throws(ShaleError) -> RemovedImages {
        // Entries that another tool wrote get their image IDs before the lock is taken.
        _ = try images.all(includingIntermediate: true)
        let exclusion = try exclusion()
        var moved: [String] = []
        let removed = try lock.exclusively { () throws(ShaleError) in
            let before = try names.table()
            var roots = try sessionRoots()
            let removal = try plan(before, roots, exclusion)
            var result = RemovedImages()
            let after = try carryOut(removal, from: before, into: &result)
            guard after != before else { return result }
            let gone = Self.gone(before, after)
            if let session, !dryRun {
                if !isDiskFull, try hide(gone, from: before, to: after, retainedBy: session) { return result }
                // On a full disk a removal must free space, so nothing is retained for a session.
                result.isGoneForGood = !gone.isEmpty
                roots.digests.subtract(Self.digests(of: gone, notIn: after))
            }
            try keepLeased(&roots, exclusion)
            let retained = gone.filter { roots.reach($0) }
            let freed = try candidates(result.entries)
            let sweep = Sweep(table: after, roots: roots, exclusion: exclusion, dryRun: dryRun)
            if !dryRun {
                let spare = { () throws(ShaleError) in try self.unpacked(freed, sweep) }
                try freeingSpace(by: spare) { () throws(ShaleError) in
                    if !retained.isEmpty { try images.hold(retained) }
                    try names.replace(before, with: after)
                }
            }
            if !freed.blobs.isEmpty { result.collected = try self.sweep(freed, sweep, moved: &moved) }
            if result.isGoneForGood {
                let going = moved
                let digests = Self.digests(of: gone, notIn: after)
                try freeingSpace(by: { going }) { () throws(ShaleError) in try forget(digests) }
            }
            return result
        }
        for place in moved { try ingest.removeMoved(place) }
        return removed
    }

    /// What `rmi` of several arguments would do, one after the other.
    ///
    /// Nothing is changed.
    ///
    /// The error of one argument is its result. Throws what reading the store throws.
    package func planRemoval(
        of texts: [String], force: Bool, pruningParents: Bool
    ) throws(ShaleError) -> [Result<RemovedImages, ShaleError>] {
        let uses = try imageUses()
        _ = try images.all(includingIntermediate: true)
        var table = try names.table()
        var results: [Result<RemovedImages, ShaleError>] = []
        for text in texts {
            do throws(ShaleError) {
                let removal = try ImageRemoval.plan(
                    text, in: table, uses: uses, force: force, pruningParents: pruningParents)
                var removed = RemovedImages()
                table = try carryOut(removal, from: table, into: &removed)
                results.append(.success(removed))
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    /// Retains images for a session, so that no listing shows them.
    ///
    /// Returns false when the disk has no space for that.
    private func hide(
        _ gone: [ImageEntry], from before: ImageTable, to after: ImageTable, retainedBy session: SessionFolder
    ) throws(ShaleError) -> Bool {
        do throws(ShaleError) {
            let indexes = gone.filter(\.isIndex).map(\.manifest.digest)
            try session.addRoots(SessionRoots(digests: Set(gone.compactMap(\.image) + indexes)))
            try images.hold(gone)
            try names.replace(before, with: after)
            return true
        } catch {
            guard error.code == .noSpace else { throw error }
            return false
        }
    }

    /// The entries whose image, or whose index, is in the first table and not in the second.
    private static func gone(_ before: ImageTable, _ after: ImageTable) -> [ImageEntry] {
        let images = Set(after.entries.compactMap(\.image))
        let indexes = Set(after.entries.filter(\.isIndex).map(\.manifest.digest))
        return before.entries.filter { entry in
            guard let image = entry.image else { return false }
            return !images.contains(image) || entry.isIndex && !indexes.contains(entry.manifest.digest)
        }
    }

    /// The manifests of removed entries, and their images when no other entry has them.
    private static func digests(of gone: [ImageEntry], notIn after: ImageTable) -> Set<Digest> {
        let images = Set(after.entries.compactMap(\.image))
        return Set(gone.map(\.manifest.digest)).union(Set(gone.compactMap(\.image)).subtracting(images))
    }

    /// Removes images that no longer exist from the roots of all sessions.
    private func forget(_ digests: Set<Digest>) throws(ShaleError) {
        for name in try sessionNames() {
            let session = try session(name)
            var roots = try session.roots()
            guard !roots.digests.isDisjoint(with: digests) else { continue }
            roots.digests.subtract(digests)
            try session.setRoots(roots)
        }
        try images.retained.updateLocked { table in
            table.keep { !digests.contains($0.manifest.digest) && !digests.contains($0.image ?? $0.manifest.digest) }
        }
    }

    /// Carries out `prune`: removes images that nothing needs and that nobody has a lease on.
    ///
    /// `isUsed` is called under the lock; an entry for which it returns true stays. `known` is what sessions could
    /// return to when the caller read it; what they have added since then stays too. Throws what taking the lock,
    /// reading the store or removing the files throws.
    package func pruneImages(
        dryRun: Bool, all: Bool, without containers: Set<String>, known: Set<Digest>?,
        isUsed: (ImageEntry) -> Bool
    ) throws(ShaleError) -> RemovedImages {
        try removeImages(dryRun: dryRun, retainedBy: nil) { (table, roots, exclusion) throws(ShaleError) in
            let fresh = known.map { roots.digests.subtracting($0) } ?? []
            var uses = try imageUses().filter { !containers.contains($0.container) }
            var kept = Set(table.entries.filter(isUsed).compactMap(\.image)).union(fresh)
            while true {
                uses += kept.map { ImageUse(container: "", image: $0, isRunning: false) }
                let removal = ImageRemoval.planPrune(in: table, uses: uses, all: all)
                // The parents of an image in use stay too, so the plan is repeated until all of it can be removed.
                kept = Set(removal.deleted.filter { !exclusion.take(.digest($0)) })
                if kept.isEmpty { return removal }
            }
        }
    }

    /// Carries out `rmi` of one argument.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when it is in use and `force` does not help, and what
    /// reading or changing the store throws.
    package func removeImage(_ text: String, uses: [ImageUse], force: Bool = false) throws(ShaleError) -> RemovedImages
    {
        try removeImages { table throws(ShaleError) in
            try ImageRemoval.plan(text, in: table, uses: uses, force: force)
        }
    }

    /// The uses of images by containers.
    ///
    /// `isRunning` returns whether a container's process is running.
    ///
    /// Throws what reading the containers throws.
    package func imageUses(
        isRunning: (ContainerRecord, ContainerState) -> Bool = { $1.isRunning }
    ) throws(ShaleError) -> [ImageUse] {
        let records = try containers.all()
        let listed = try images.listed(as: Set(records.map(\.image)), in: names.table())
        return records.map { record in
            ImageUse(
                container: record.id, image: listed[record.image] ?? record.image,
                isRunning: isRunning(record, containers.state(record.id)))
        }
    }

    private func carryOut(
        _ removal: ImageRemoval, from before: ImageTable, into result: inout RemovedImages
    ) throws(ShaleError) -> ImageTable {
        var table = before
        var chains = try removal.deleted.isEmpty ? [:] : chainCounts(before)
        for step in removal.steps {
            switch step {
            case .untag(let reference):
                if let entry = table.entry(named: reference) { result.entries.append(entry) }
                result.lines.append(.untagged(reference.familiar))
            case .deleteIndex(let digest):
                let index = { (entry: ImageEntry) in entry.isIndex && entry.manifest.digest == digest }
                result.entries += before.entries.filter { index($0) && !result.entries.contains($0) }
                result.lines.append(.deleted(digest))
            case .delete(let id):
                result.entries += before.entries(of: id).filter { !result.entries.contains($0) }
                result.lines.append(.deleted(id))
                for chain in chainIDs(config: id).reversed() {
                    chains[chain, default: 1] -= 1
                    if chains[chain] == 0 { result.lines.append(.freed(chain)) }
                }
            }
            ImageRemoval.apply(step, of: nil, to: &table)
        }
        return table
    }

    /// How many images and containers use each chain of layers, by chain ID.
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

    /// The blobs and layers of images, which their removal may free.
    private func candidates(_ entries: [ImageEntry]) throws(ShaleError) -> Contents {
        var marks = Reachability(self)
        for entry in entries { try marks.manifest(entry.manifest.digest, what: entry.refName) }
        let unpacked = try layers.all().filter { marks.layers.contains($0.name) }
        return Contents(
            blobs: marks.blobs.filter { blobs.contains($0) }, layers: Dictionary(uniqueKeysWithValues: unpacked))
    }

    /// Removes retained images, and containers in the trash, that no session can return to.
    ///
    /// Called under the lock. Returns the size of the containers, in bytes.
    private func sweepRetained(_ sweep: Sweep, moved: inout [String]) throws(ShaleError) -> Int64 {
        var bytes: Int64 = 0
        for id in try containers.trashIdentifiers() where !sweep.roots.containers.contains(id) {
            guard sweep.exclusion.take(.container(id)) else { continue }
            defer { sweep.exclusion.give(.container(id)) }
            let folder = containers.trashFolder(id)
            bytes &+= (try? FileTree.usage(of: folder.upper).bytes) ?? 0
            if !sweep.dryRun, let place = try ingest.moveAway(folder.path) { moved.append(place) }
        }
        if !sweep.dryRun {
            let aside = moved
            let spare = { () throws(ShaleError) in
                let layers = Dictionary(uniqueKeysWithValues: try self.layers.all())
                return aside + (try self.unpacked(Contents(blobs: [], layers: layers), sweep))
            }
            try freeingSpace(by: spare) { () throws(ShaleError) in
                try images.retained.updateLocked { table in table.keep { sweep.roots.reach($0) } }
            }
        }
        return bytes
    }

    /// Adds the retained images on which someone has a lease to the roots of sessions.
    private func keepLeased(_ roots: inout SessionRoots, _ exclusion: Exclusion) throws(ShaleError) {
        for entry in try images.retained.table().entries where !roots.reach(entry) {
            if let image = entry.image, exclusion.isLeased(.digest(image)) { roots.digests.insert(image) }
        }
    }

    /// Removes blobs, and moves away layers, that nothing needs and on which nobody has a lease.
    ///
    /// Called under the lock.
    private func sweep(
        _ contents: Contents, _ sweep: Sweep, moved: inout [String]
    ) throws(ShaleError) -> Collected {
        let marks = try Reachability.of(self, table: sweep.table, sessions: sweep.roots)
        var collected = Collected()
        for digest in contents.blobs.sorted() where !marks.blobs.contains(digest) {
            guard sweep.exclusion.take(.digest(digest)) else { continue }
            defer { sweep.exclusion.give(.digest(digest)) }
            collected.blobs.append(digest)
            collected.bytes += (try? blobs.size(digest)) ?? 0
            if !sweep.dryRun { try blobs.remove(digest) }
        }
        for (name, diffID) in contents.layers.sorted(by: { $0.key < $1.key }) where !marks.layers.contains(name) {
            guard sweep.exclusion.take(.digest(diffID)) else { continue }
            defer { sweep.exclusion.give(.digest(diffID)) }
            let path = "\(paths.layers)/\(name)"
            collected.layers.append(diffID)
            collected.bytes += layers.size(named: name)?.content ?? (try? FileTree.usage(of: path).bytes) ?? 0
            if !sweep.dryRun, let place = try ingest.moveAway(path) { moved.append(place) }
        }
        return collected
    }

    /// Moves away the unpacked layers that a sweep will remove.
    ///
    /// If the sweep fails, they can be unpacked again.
    private func unpacked(_ contents: Contents, _ sweep: Sweep) throws(ShaleError) -> [String] {
        var moved: [String] = []
        _ = try self.sweep(Contents(blobs: [], layers: contents.layers), sweep, moved: &moved)
        return moved
    }
}

/// Blobs, and folders of unpacked layers with their diff IDs.
private struct Contents {
    var blobs: Set<Digest>
    var layers: [String: Digest]
}

/// The input of a sweep.
private struct Sweep {
    var table: ImageTable
    var roots: SessionRoots
    var exclusion: Exclusion
    var dryRun: Bool
}

extension SessionRoots {
    /// Whether an entry's image ID or manifest is among them.
    fileprivate func reach(_ entry: ImageEntry) -> Bool {
        digests.contains(entry.manifest.digest) || entry.image.map { digests.contains($0) } ?? false
    }
}
