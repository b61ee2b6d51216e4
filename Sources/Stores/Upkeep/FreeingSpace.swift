package import Basics
import Glibc
import Linux
package import OCI

/// Removal on a full disk.
///
/// Content that can be made again is removed first, so that there is space for the necessary writes.
extension Store {
    /// Whether the disk has so little free space that removed things are not retained for `undo`.
    package var isDiskFull: Bool {
        var info = statvfs()
        guard paths.home.withPath({ statvfs($0, &info) }) == 0 else { return false }
        let (bytes, isLarge) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
        return !isLarge && bytes < 1 << 20
    }

    /// Carries out a write that a removal needs.
    ///
    /// While the disk has no space for it, frees one thing after the other.
    ///
    /// The order is: unfinished downloads, the files that `spare` moves away and whose places it returns, the cache,
    /// and unpacked layers that no container uses, the smallest first. All of these can be made again, so a crash loses
    /// nothing. Called under the store's lock.
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

    /// Removes a name, also on a full disk.
    ///
    /// Returns its entry.
    ///
    /// Throws what writing the names throws.
    package func removeName(_ reference: Reference) throws(ShaleError) -> ImageEntry? {
        try removing { () throws(ShaleError) in try names.updateLocked { $0.removeName(reference) } }
    }

    /// Removes the stamped changes of a session that is renamed or removed, also on a full disk.
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

    /// The folders of unpacked layers that can be unpacked again and that no container uses, the smallest first.
    ///
    /// Layers that are too small to help are left out.
    private func layersToUnpackAgain() throws(ShaleError) -> [(name: String, diffID: Digest)] {
        let standing = try Reachability.of(self, table: ImageTable(), sessions: SessionRoots())
        var found: [String: (size: Int64, diffID: Digest)] = [:]
        var manifests: [Manifest] = []
        for entry in try names.table().entries { manifests += try images.manifests(of: entry).map(\.manifest) }
        for manifest in manifests {
            guard let config = try ifSound(images.config(of: manifest)) else { continue }
            for (layer, blob) in zip(LayerStore.stack(of: config), manifest.layers) where blobs.contains(blob.digest) {
                let name = layers.folderName(layer.diffID, on: layer.parentChain)
                guard let size = layers.size(named: name)?.content, size >= 32 << 10, !standing.layers.contains(name)
                else { continue }
                found[name] = (size, layer.diffID)
            }
        }
        return found.sorted { ($0.value.size, $0.key) < ($1.value.size, $1.key) }.map { ($0.key, $0.value.diffID) }
    }

    /// Frees content that only sessions need and that can be made again, for a write of a session on a full disk.
    ///
    /// `current` are the current working images of the sessions. Throws what taking the lock, reading the store or
    /// removing the files throws.
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

    /// Removes interrupted downloads that no process continues now.
    ///
    /// Returns their size, in bytes.
    ///
    /// With `until`, downloads that were written to after that time stay. Throws what opening the file of leases
    /// throws.
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
