import Basics
import Building
import Images
import OCI
import Rendering

/// What the objects of the build cache are, in lines that a person can judge by.
struct CachedObjects {
    private struct Step {
        let key: Digest
        let record: BuildCache.Record
    }

    private let steps: [Step]
    private let packed: [Digest]
    /// Keys of what is noted beside the steps: the files they read, the steps on an image.
    private let notes: Int

    private static let width = 60

    init(_ report: PruneReport, _ building: BuildEngine) {
        steps =
            report.cache
            .compactMap { key in building.cachedStep(key).map { Step(key: key, record: $0) } }
            .sorted { ($0.record.made, $0.key) < ($1.record.made, $1.key) }
        packed = report.packed
        notes = report.cache.count - steps.count
    }

    /// A line a step, the oldest first; one a packed layer; and how much there is beside.
    var lines: [String] {
        let now = Timestamp.now()
        var lines = steps.map { step in
            let made = DockerTime.since(step.record.made, now: now)
            return "\(step.key.short)  \(step.record.instruction.visible.ellipsis(Self.width))"
                + "  (image \(step.record.image.short), \(made))"
        }
        lines += packed.map { "\($0.short)  a layer as it was packed for a push" }
        if notes > 0 { lines.append("and \(notes) note\(notes == 1 ? "" : "s") on what steps read and stand on") }
        return lines
    }
}
