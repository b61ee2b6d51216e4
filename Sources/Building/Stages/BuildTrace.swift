import Basics
import Diagnostics
import FoundationEssentials
import Logging
package import OCI
package import Stores
import Synchronization

/// The steps of a build for `why-cache`: the cache key of each step, and whether it was found.
package final class BuildTrace: Sendable {
    package struct Step: Codable, Sendable {
        /// The number as docker counts.
        package var number: Int
        package var instruction: String
        package var image: Digest?
        package var wasCached: Bool
        /// `nil` for a step without a key: `FROM`, and `ARG` above it.
        package var key: Digest?
        /// Why the step was not found.
        package var miss: CacheMiss?

        package init(
            number: Int, instruction: String, image: Digest?, wasCached: Bool, key: Digest?, miss: CacheMiss? = nil
        ) {
            self.number = number
            self.instruction = instruction
            self.image = image
            self.wasCached = wasCached
            self.key = key
            self.miss = miss
        }
    }

    private let name: String
    private let steps = Mutex<[Step]>([])

    init(named name: String) { self.name = name }

    func add(_ step: BuildSequence.Step, _ outcome: StepOutcome, _ cache: CacheStore) {
        let made = Step(
            number: step.number, instruction: step.text, image: outcome.image?.id,
            wasCached: outcome.result?.wasCached ?? false, key: outcome.result?.key, miss: outcome.result?.miss)
        steps.withLock { steps in
            // Stepping may carry a step out several times: the last time counts.
            steps.removeAll { $0.number == made.number }
            steps.append(made)
        }
    }

    /// Stores it as the last build of its name.
    ///
    /// A failure is only logged.
    func keep(in cache: CacheStore) {
        let all = steps.withLock { $0.sorted { $0.number < $1.number } }
        guard !all.isEmpty else { return }
        Logger.cache.attempt("keep the steps of build \(name)") {
            try cache.set(.build, Self.key(name), to: Array(OCIDocument.encode(all)))
        }
    }

    /// The steps of the last build of a name, in order.
    package static func last(named name: String, in cache: CacheStore) -> [Step] {
        cache.value(.build, key(name)).flatMap { try? JSONDecoder().decode([Step].self, from: Data($0)) } ?? []
    }

    private static func key(_ name: String) -> Digest { Digest.of("last build of \(name)".utf8) }
}
