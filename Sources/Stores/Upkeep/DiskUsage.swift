package import Basics
import Linux
import OCI
package import RunnerProtocol

/// The disk space that a home takes, in bytes, for `df`.
package struct DiskUsage: Sendable, Hashable {
    package struct ImageUsage: Sendable, Hashable {
        package var image: ImageSummary
        /// The size of its unpacked layers that other images have too.
        package var shared: Int64
        /// The size of its unpacked layers that no other image has.
        package var unique: Int64
        /// The size of its layers' blobs.
        package var packed: Int64
        /// The number of containers that use it.
        package var containers: Int
    }

    package struct ContainerUsage: Sendable, Hashable {
        package var record: ContainerRecord
        package var state: ContainerState
        /// The size of the files that it changed.
        package var bytes: Int64
    }

    package struct VolumeUsage: Sendable, Hashable {
        package var volume: Volume
        /// The size of the files in it.
        package var bytes: Int64
    }

    package var images: [ImageUsage] = []
    package var containers: [ContainerUsage] = []
    package var volumes: [VolumeUsage] = []
    /// The size of all unpacked layers, each counted once.
    package var unpacked: Int64 = 0
    /// The size of all blobs.
    package var packed: Int64 = 0
    /// The size of unpacked layers that no container uses.
    package var reclaimable: Int64 = 0
    /// The size of the build cache and all other caches.
    package var cache: Int64 = 0
    /// Downloads that run or were interrupted.
    package var downloads: [UnfinishedDownload] = []
    /// The size of these downloads, of files that are being made, and of leftovers.
    package var ingest: Int64 = 0
}

extension Store {
    /// Measures the disk space of the home.
    ///
    /// The configs of all images are read, and all changed files of containers are counted. Throws what reading the
    /// store throws.
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
        let listed = try images.listed(as: Set(records.map(\.image)), in: names.table())
        var loaded: [MeasuredImage] = []
        var users: [String: Int] = [:]
        let summaries = try images.all(includingIntermediate: true)
        let entries = try names.table().entriesByImage(of: Set(summaries.map(\.id)))
        for summary in summaries {
            let measured = try measured(summary, entries[summary.id] ?? [])
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

    /// Measures all entries of an image.
    ///
    /// For an index these are all platforms in the store.
    private func measured(_ summary: ImageSummary, _ entries: [ImageEntry]) throws(ShaleError) -> MeasuredImage {
        var measured = MeasuredImage(summary: summary)
        var seen: Set<Digest> = []
        for entry in entries {
            for (descriptor, manifest) in try images.manifests(of: entry) where seen.insert(descriptor.digest).inserted
            {
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

/// The measures of one image.
private struct MeasuredImage {
    var summary: ImageSummary
    /// The folders of its unpacked layers.
    var layers: Set<String> = []
    /// Bytes of its layers' blobs.
    var packed: Int64 = 0
}
