import Basics
import Images
import OCI
import Synchronization

/// The shared caches that a build was given to look steps up in.
///
/// What is wrong with one is told once, and the build goes on without it: a cache saves work, and nothing needs it.
final class SharedCaches: Sendable {
    /// A step, and the cache that holds it.
    struct Found: Sendable {
        var step: SharedSteps.Step
        var source: Int
    }

    private let sources: [any CacheSource]
    private let steps: [Digest: [Found]]
    private let links: [Digest: [Found]]
    /// Caches that failed, and are not asked again.
    private let broken = Mutex<Set<Int>>([])
    private let operation: OperationContext

    /// Opens the caches; those that are not there or cannot be read are told in a line each and left out.
    ///
    /// Throws `cancelled` alone.
    init(_ places: [CachePlace], engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        self.operation = operation
        var sources: [any CacheSource] = []
        var steps: [Digest: [Found]] = [:]
        var links: [Digest: [Found]] = [:]
        for place in places {
            // Images of one's own serve the cache in any case.
            if place.isBareName, case .registry(let name) = place.location,
                (try? engine.images.find(name.familiar)) != nil
            {
                continue
            }
            do throws(ShaleError) {
                let (source, document) = try engine.openCache(at: place, operation)
                for step in document.steps {
                    steps[step.key, default: []].append(Found(step: step, source: sources.count))
                    if let link = step.linkKey {
                        links[link, default: []].append(Found(step: step, source: sources.count))
                    }
                }
                sources.append(source)
            } catch {
                try operation.cancellation.check()
                Self.warn(place.name, error, operation)
            }
        }
        self.sources = sources
        self.steps = steps
        self.links = links
    }

    func steps(_ key: Digest) -> [Found] { usable(steps[key]) }

    /// The steps that a linked copy is found by, whatever lies below it.
    func linkedSteps(_ key: Digest) -> [Found] { usable(links[key]) }

    private func usable(_ found: [Found]?) -> [Found] {
        guard let found else { return [] }
        return broken.withLock { broken in found.filter { !broken.contains($0.source) } }
    }

    func source(of found: Found) -> any CacheSource { sources[found.source] }

    /// Warns about a cache that cannot be used, and does not ask it again.
    func markBroken(_ found: Found, _ error: ShaleError) {
        guard broken.withLock({ $0.insert(found.source).inserted }) else { return }
        Self.warn(sources[found.source].name, error, operation)
    }

    private static func warn(_ name: String, _ error: ShaleError, _ operation: OperationContext) {
        operation.note("cache \(name): \(error.description); building without it")
    }
}

/// A cache that can be read.
protocol CacheSource: Sendable {
    /// What messages call it.
    var name: String { get }

    /// Hands out a blob's bytes, each once and in order; their digest is the taker's to check.
    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError)
}
