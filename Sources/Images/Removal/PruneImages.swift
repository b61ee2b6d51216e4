package import Basics
import Linux
package import OCI
package import Stores

/// What `prune` may remove.
package struct PruneRequest: Sendable {
    package var images = false
    package var containers = false
    package var cache = false
    /// Whether images with a name are removed too, when no container uses them.
    package var takesNamedImages = false
    /// If set, only things that were made before this time.
    package var until: Timestamp?
    /// Only containers and images that have all of these labels, each `NAME[=VALUE]`.
    package var labels: [String] = []
    /// Only containers and images that have none of these labels.
    package var unwantedLabels: [String] = []
    /// Images that sessions can return to.
    ///
    /// They are kept.
    package var retained: Set<Digest> = []
    /// Everything that sessions kept before `retained` was determined; `nil` when it does not matter.
    package var known: Set<Digest>?
    /// Whether to report only what would be removed.
    package var isDryRun = false

    package init() {}

    var looksAtLabels: Bool { !labels.isEmpty || !unwantedLabels.isEmpty }
    var isSelective: Bool { until != nil || looksAtLabels }

    /// Whether something with this time and these labels may be removed.
    package func takes(created: Timestamp, labels own: [String: String]) -> Bool {
        if let until, created >= until { return false }
        return labels.allSatisfy { FilterCondition.hasLabel(own, $0) }
            && !unwantedLabels.contains { FilterCondition.hasLabel(own, $0) }
    }
}

/// What `prune` removed, or would remove.
package struct PruneReport: Sendable {
    package struct Container: Sendable, Hashable {
        package let id: String
        package let name: String

        package init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    package var containers: [Container] = []
    package var images: [RemovedImages.Line] = []
    /// The keys in the build cache: those of steps, and those of notes about steps.
    package var cache: [Digest] = []
    /// Layers in the cache that were compressed for a push.
    package var packed: [Digest] = []
    package var bytes: Int64 = 0

    package init() {}

    package var isEmpty: Bool { containers.isEmpty && images.isEmpty && cache.isEmpty && packed.isEmpty && bytes == 0 }
}

extension ImageEngine {
    /// Removes images without a name, cached build steps, and unreachable content, and adds them to a report that
    /// already has the removed containers.
    ///
    /// Throws what reading or changing the store throws.
    package func prune(_ request: PruneRequest, into report: inout PruneReport) throws(ShaleError) {
        if request.cache {
            report.cache = store.cache.all(.build).map(\.key)
            if request.isDryRun {
                report.bytes &+= store.cache.all(.build).reduce(0) { $0 &+ $1.bytes }
            } else {
                report.bytes &+= try store.cache.clear([.build])
            }
            let packed = store.cache.removePacked(dryRun: request.isDryRun) { _ in true }
            report.packed = packed.digests
            report.bytes &+= packed.bytes
        }
        if request.images {
            if !request.looksAtLabels {
                report.bytes &+= try store.removeUnfinishedDownloads(until: request.until, dryRun: request.isDryRun)
            }
            let removed = try pruneImages(request, without: Set(report.containers.map(\.id)))
            report.images = removed.lines
            report.bytes &+= removed.collected.bytes
        }
        report.bytes &+= try store.collect(dryRun: request.isDryRun).bytes
        // The compressed forms of layers that are gone are of no use.
        report.bytes &+=
            store.cache.removePacked(dryRun: request.isDryRun) { !store.blobs.contains($0) }.bytes
        if !request.isDryRun { try sweepProvenance() }
    }

    private func pruneImages(
        _ request: PruneRequest, without containers: Set<String>
    ) throws(ShaleError) -> RemovedImages {
        // Read before the names are locked. An image that is added meanwhile is kept.
        var labels: [Digest: [String: String]] = [:]
        for image in request.looksAtLabels ? try store.images.all(includingIntermediate: true) : [] {
            labels[image.id] = (try? store.images.image(image.id).containerConfig.labels) ?? [:]
        }
        return try store.pruneImages(
            dryRun: request.isDryRun, all: request.takesNamedImages, without: containers, known: request.known
        ) { entry in
            guard let id = entry.image, !request.retained.contains(id) else { return true }
            guard request.isSelective else { return false }
            // An image that was not selected counts as used.
            let own = request.looksAtLabels ? labels[id] : [:]
            return own.map { request.takes(created: entry.created ?? .epoch, labels: $0) } != true
        }
    }
}
