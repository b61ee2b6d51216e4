package import Basics
import Linux
package import OCI
package import Stores

/// What `prune` may take.
package struct PruneRequest: Sendable {
    package var images = false
    package var containers = false
    package var cache = false
    /// Images that have a name too, where no container stands on them.
    package var takesNamedImages = false
    /// Only what was made before this moment.
    package var until: Timestamp?
    /// `NAME[=VALUE]` each: only containers and images that have all of these labels.
    package var labels: [String] = []
    /// Only those that have none of these.
    package var unwantedLabels: [String] = []
    /// Images that sessions can come back to.
    package var retained: Set<Digest> = []
    /// All that they kept before `retained` was looked up; `nil` where that does not matter.
    package var known: Set<Digest>?
    /// Only say what would go.
    package var isDryRun = false

    package init() {}

    var looksAtLabels: Bool { !labels.isEmpty || !unwantedLabels.isEmpty }
    var isSelective: Bool { until != nil || looksAtLabels }

    /// Whether something that was made then, with these labels, may go.
    package func takes(created: Timestamp, labels own: [String: String]) -> Bool {
        if let until, created >= until { return false }
        return labels.allSatisfy { FilterCondition.hasLabel(own, $0) }
            && !unwantedLabels.contains { FilterCondition.hasLabel(own, $0) }
    }
}

/// What `prune` took, or would take.
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
    /// Keys of the build cache: of steps, and of what is noted beside them.
    package var cache: [Digest] = []
    /// Layers that were packed for a push, in the build's cache too.
    package var packed: [Digest] = []
    package var bytes: Int64 = 0

    package init() {}

    package var isEmpty: Bool { containers.isEmpty && images.isEmpty && cache.isEmpty && packed.isEmpty && bytes == 0 }
}

extension ImageEngine {
    /// Removes images without a name, cached build steps, and what nothing leads to any more, and adds it to a report
    /// that names the containers that went before.
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
        // What was packed of layers that are gone is of no use.
        report.bytes &+=
            store.cache.removePacked(dryRun: request.isDryRun) { !store.blobs.contains($0) }.bytes
        if !request.isDryRun { try sweepProvenance() }
    }

    private func pruneImages(
        _ request: PruneRequest, without containers: Set<String>
    ) throws(ShaleError) -> RemovedImages {
        // Read before the names are locked; an image that comes meanwhile is kept.
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
