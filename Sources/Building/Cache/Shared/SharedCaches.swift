import Basics
import Images
import OCI
import Synchronization

/// The shared caches in which a build looks steps up (`--cache-from`).
///
/// A problem with a cache is reported once, and the build continues without that cache: a build never needs a cache.
final class SharedCaches: Sendable {
    /// A step, and the cache that holds it.
    struct Found: Sendable {
        var step: SharedSteps.Step
        var source: Int
    }

    private let sources: [any CacheSource]
    private let steps: [Digest: [Found]]
    private let links: [Digest: [Found]]
    /// Caches that failed.
    ///
    /// They are not used again.
    private let broken = Mutex<Set<Int>>([])
    private let operation: OperationContext

    /// Opens the caches.
    ///
    /// A cache that is missing or cannot be read is reported in a line and left out.
    ///
    /// Throws only `cancelled`.
    init(_ places: [CachePlace], engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        self.operation = operation
        var sources: [any CacheSource] = []
        var steps: [Digest: [Found]] = [:]
        var links: [Digest: [Found]] = [:]
        for place in places {
            // A bare name of a local image needs nothing here: the steps of local images are in the local cache.
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

    /// The steps with this link key.
    ///
    /// A linked copy is the same on every parent.
    func linkedSteps(_ key: Digest) -> [Found] { usable(links[key]) }

    private func usable(_ found: [Found]?) -> [Found] {
        guard let found else { return [] }
        return broken.withLock { broken in found.filter { !broken.contains($0.source) } }
    }

    func source(of found: Found) -> any CacheSource { sources[found.source] }

    /// Warns about a cache that cannot be used, and does not use it again.
    func markBroken(_ found: Found, _ error: ShaleError) {
        guard broken.withLock({ $0.insert(found.source).inserted }) else { return }
        Self.warn(sources[found.source].name, error, operation)
    }

    private static func warn(_ name: String, _ error: ShaleError, _ operation: OperationContext) {
        operation.note("cache \(name): \(error.description); building without it")
    }
}

/// A shared cache that can be read.
protocol CacheSource: Sendable {
    /// The name in messages.
    var name: String { get }

    /// Passes a blob's bytes to `body`, in order. The digest is not checked here: the caller must check it.
    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError)
}
