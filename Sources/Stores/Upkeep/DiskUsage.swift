package import Basics
import Linux
import OCI
package import RunnerProtocol

/// The disk space that a home takes, in bytes, for `df`.
package struct DiskUsage: Sendable, Hashable {
    package struct ImageUsage: Sendable, Hashable {
        package var image: ImageSummary
        /// Bytes of its unpacked layers that another image has too.
        package var shared: Int64
        /// Bytes of its unpacked layers that only it has.
        package var unique: Int64
        /// Bytes of its layers' blobs.
        package var packed: Int64
        /// Containers that stand on it.
        package var containers: Int
    }

    package struct ContainerUsage: Sendable, Hashable {
        package var record: ContainerRecord
        package var state: ContainerState
        /// Bytes of what it changed.
        package var bytes: Int64
    }

    package struct VolumeUsage: Sendable, Hashable {
        package var volume: Volume
        /// Bytes of the files in it.
        package var bytes: Int64
    }

    package var images: [ImageUsage] = []
    package var containers: [ContainerUsage] = []
    package var volumes: [VolumeUsage] = []
    /// Bytes of all unpacked layers, each counted once.
    package var unpacked: Int64 = 0
    /// Bytes of all blobs.
    package var packed: Int64 = 0
    /// Bytes of unpacked layers that no container stands on.
    package var reclaimable: Int64 = 0
    /// Bytes of the build cache and of all other caches.
    package var cache: Int64 = 0
    /// Downloads that are under way, or were broken off.
    package var downloads: [UnfinishedDownload] = []
    /// Bytes of these, of what is being made, and of leftovers.
    package var ingest: Int64 = 0
}

extension Store {
    /// Measures the home.
    ///
    /// Reads every image's config; a container's changes are counted file by file. Throws what reading the store
    /// throws.
    package func diskUsage() throws(ShaleError) -> DiskUsage {
        var usage = DiskUsage()
        let records = try containers.all()
        usage.containers = records.map { record in
            let bytes = (try? FileTree.usage(of: containers.folder(record.id).upper).bytes) ?? 0
            return DiskUsage.ContainerUsage(record: record, state: containers.state(record.id), bytes: bytes)
        }
        usage.volumes = try volumes.all().map { DiskUsage.VolumeUsage(volume: $0, bytes: $0.bytes) }
        try measureImages(records, into: &usage)
        for digest in try blobs.all() { usage.packed += (try? blobs.size(digest)) ?? 0 }
        usage.cache = (try? FileTree.usage(of: paths.cache).bytes) ?? 0
        usage.downloads = ingest.unfinishedDownloads()
        usage.ingest = (try? FileTree.usage(of: paths.ingest).bytes) ?? 0
        return usage
    }

    private func measureImages(_ records: [ContainerRecord], into usage: inout DiskUsage) throws(ShaleError) {
        let listed = images.listed(as: Set(records.map(\.image)), in: try names.table())
        var loaded: [MeasuredImage] = []
        var users: [String: Int] = [:]
        let summaries = try images.all(includingIntermediate: true)
        let entries = try names.table().entriesByImage(of: Set(summaries.map(\.id)))
        for summary in summaries {
            let measured = measured(summary, entries[summary.id] ?? [])
            for name in measured.layers { users[name, default: 0] += 1 }
            loaded.append(measured)
        }
        var active: Set<String> = []
        for entry in loaded {
            let count = records.count { (listed[$0.image] ?? $0.image) == entry.summary.id }
            if count > 0 { active.formUnion(entry.layers) }
            var shared: Int64 = 0
            var unique: Int64 = 0
            for name in entry.layers {
                let bytes = layers.size(named: name)?.content ?? 0
                if users[name, default: 0] > 1 { shared += bytes } else { unique += bytes }
            }
            usage.images.append(
                DiskUsage.ImageUsage(
                    image: entry.summary, shared: shared, unique: unique, packed: entry.packed, containers: count))
        }
        for (name, _) in try layers.all() {
            let bytes = layers.size(named: name)?.content ?? 0
            usage.unpacked += bytes
            if !active.contains(name) { usage.reclaimable += bytes }
        }
    }

    /// What all entries of an image lead to: of an index every platform that is here.
    private func measured(_ summary: ImageSummary, _ entries: [ImageEntry]) -> MeasuredImage {
        var measured = MeasuredImage(summary: summary)
        var seen: Set<Digest> = []
        for entry in entries {
            for (descriptor, manifest) in images.manifests(of: entry) where seen.insert(descriptor.digest).inserted {
                for blob in manifest.layers where seen.insert(blob.digest).inserted && blobs.contains(blob.digest) {
                    measured.packed = measured.packed.addingClamped(blob.size)
                }
                guard let config = try? images.config(of: manifest) else { continue }
                measured.layers.formUnion(
                    LayerStore.stack(of: config).map { layers.folderName($0.diffID, on: $0.parentChain) })
            }
        }
        return measured
    }
}

/// An image while the home is measured.
private struct MeasuredImage {
    var summary: ImageSummary
    /// Its unpacked layers' folders.
    var layers: Set<String> = []
    /// Bytes of its layers' blobs.
    var packed: Int64 = 0
}
