package import Basics
import Glibc
import Linux
package import OCI

/// Removing on a full disk: things that can be made again are removed first, to make room for what must be written.
extension Store {
    /// Whether the disk has so little room left that removed things are not kept for `undo`.
    package var isDiskFull: Bool {
        var info = statvfs()
        guard paths.home.withPath({ statvfs($0, &info) }) == 0 else { return false }
        let (bytes, isLarge) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        return !isLarge && bytes < 1 << 20
    }

    /// Does a write that a removal needs; where the disk has no room for it, frees one thing after the other until it
    /// has.
    ///
    /// Unfinished downloads go first, then what `spare` moves away and returns the places of, then the cache, then
    /// unpacked layers that no container stands on, the smallest first: all of it can be made again, so that a crash in
    /// between loses nothing. Under the store's lock.
    func freeingSpace<Result>(
        by spare: () throws(ShaleError) -> [String], _ write: () throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        if let result = try unlessFull(write) { return result }
        _ = try removeUnfinishedDownloads()
        if let result = try unlessFull(write) { return result }
        for place in try spare() { try ingest.removeMoved(place) }
        if let result = try unlessFull(write) { return result }
        try cache.clear()
        let exclusion = try exclusion()
        for layer in try layersToUnpackAgain() {
            if let result = try unlessFull(write) { return result }
            guard exclusion.take(.digest(layer.diffID)) else { continue }
            try layers.remove(named: layer.name)
            exclusion.give(.digest(layer.diffID))
        }
        return try write()
    }

    /// Takes a name away, also on a full disk; returns what it led to.
    ///
    /// Throws what writing the names throws.
    package func removeName(_ reference: Reference) throws(ShaleError) -> ImageEntry? {
        try removing { () throws(ShaleError) in try names.updateLocked { $0.removeName(reference) } }
    }

    /// Forgets which lines of a session made changes, for a session that is renamed or removed; works on a full disk
    /// too.
    ///
    /// Throws what writing the names throws.
    package func forgetLines(of session: String) throws(ShaleError) {
        try removing { () throws(ShaleError) in try names.forgetLines(of: session) }
    }

    private func removing<Result>(_ write: () throws(ShaleError) -> Result) throws(ShaleError) -> Result {
        try lock.exclusively { () throws(ShaleError) in
            try freeingSpace(by: { () throws(ShaleError) in [] }, write)
        }
    }

    /// Folders of unpacked layers that can be unpacked again from their blobs, and that no container stands on; the
    /// smallest first, without those too small to help.
    private func layersToUnpackAgain() throws(ShaleError) -> [(name: String, diffID: Digest)] {
        let standing = try Reachability.of(self, table: ImageTable(), sessions: SessionRoots())
        var found: [String: (size: Int64, diffID: Digest)] = [:]
        for (_, manifest) in try names.table().entries.flatMap({ images.manifests(of: $0) }) {
            guard let config = try? images.config(of: manifest) else { continue }
            for (layer, blob) in zip(LayerStore.stack(of: config), manifest.layers) where blobs.contains(blob.digest) {
                let name = layers.folderName(layer.diffID, on: layer.parentChain)
                guard let size = layers.size(named: name)?.content, size >= 32 << 10, !standing.layers.contains(name)
                else { continue }
                found[name] = (size, layer.diffID)
            }
        }
        return found.sorted { ($0.value.size, $0.key) < ($1.value.size, $1.key) }.map { ($0.key, $0.value.diffID) }
    }

    /// Frees what can be had again and only sessions need, for a write of theirs that has no room.
    ///
    /// `current` are the images they stand on now. Throws what taking the lock, reading the store or removing the files
    /// throws.
    package func freeSpace(keeping current: Set<Digest>) throws(ShaleError) {
        _ = try removeUnfinishedDownloads()
        try cache.clear()
        let exclusion = try exclusion()
        let uses = try imageUses()
        let moved = try lock.exclusively { () throws(ShaleError) in
            let rest = try Reachability.of(
                self, table: pruned(try names.table(), uses, current), sessions: SessionRoots(digests: current))
            var moved: [String] = []
            for (name, diffID) in try layers.all() where !rest.layers.contains(name) {
                guard exclusion.take(.digest(diffID)) else { continue }
                if let place = try ingest.moveAway("\(paths.layers)/\(name)") { moved.append(place) }
                exclusion.give(.digest(diffID))
            }
            return moved
        }
        for place in moved { try ingest.removeMoved(place) }
    }

    /// Removes downloads that were broken off, and that nobody goes on with at this moment; returns their bytes.
    ///
    /// `until`, where given, spares what was written to since then. Throws what opening the file of leases throws.
    package func removeUnfinishedDownloads(
        until: Timestamp? = nil, dryRun: Bool = false
    ) throws(ShaleError) -> Int64 {
        let exclusion = try exclusion()
        var bytes: Int64 = 0
        for download in ingest.unfinishedDownloads() {
            if let until, download.modified >= until { continue }
            guard exclusion.take(.digest(download.digest)) else { continue }
            defer { exclusion.give(.digest(download.digest)) }
            if dryRun ? !download.isUnderWay : ingest.remove(download) { bytes &+= download.bytes }
        }
        return bytes
    }

    private func unlessFull<Result>(_ write: () throws(ShaleError) -> Result) throws(ShaleError) -> Result? {
        do throws(ShaleError) {
            return try write()
        } catch {
            guard error.code == .noSpace else { throw error }
            return nil
        }
    }
}
