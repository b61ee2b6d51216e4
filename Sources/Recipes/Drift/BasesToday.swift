import Basics
import Building
import Dockerfiles
import Images
import OCI
import Registries
import Stores
import Synchronization

/// The bases of a Dockerfile, asked anew at their registries.
struct BasesToday {
    private(set) var found: [RecipeDrift.Base] = []
    /// The images of the registries in place of those that are here.
    private(set) var contexts: [NamedContext] = []
    /// A base that is not here; `nil` when all are.
    private(set) var missing: String?
    private let engine: RecipeEngine
    private var pulled: [String] = []

    /// `firstBase` is the image that the last stage began with; without it each name means what it means here.
    ///
    /// Throws `invalid` for a Dockerfile that cannot be planned, and `unavailable` when a registry cannot be asked.
    init(
        _ text: String, firstBase: Image?, engine: RecipeEngine, _ operation: OperationContext
    ) throws(ShaleError) {
        self.engine = engine
        let plan = try Self.plan(text)
        let last = plan.stages.last { stage in if case .image = stage.base { stage.isNeeded } else { false } }
        for name in plan.baseImages {
            guard let reference = try? Reference(parsing: name) else { continue }
            var isFirst = false
            if case .image(let written)? = last?.base, let written = try? Reference(parsing: written) {
                isFirst = written.withDefaultTag == reference.withDefaultTag
            }
            let here = try? engine.images.image(named: reference.familiar)
            try add(reference, used: (isFirst ? firstBase : nil) ?? here, here: here, operation)
        }
    }

    private static func plan(_ text: String) throws(ShaleError) -> Plan {
        let platform = PlannedPlatform(os: Platform.host.os, architecture: Platform.host.architecture)
        do throws(DockerfileError) {
            return try Plan(Dockerfile(parsing: text), options: Plan.Options(platform: platform)) { _, _ in nil }
        } catch {
            throw error.shaleError(inFile: "Dockerfile")
        }
    }

    private mutating func add(
        _ reference: Reference, used: Image?, here: Image?, _ operation: OperationContext
    ) throws(ShaleError) {
        let name = reference.familiar
        guard reference.digest == nil else { return found.append(.init(name: name, state: .pinned)) }
        // `FROM sha256:…` is the id of an image.
        if let here, name.hasPrefix("sha256:"), "\(here.id)".hasPrefix(name) {
            return found.append(.init(name: name, state: .pinned))
        }
        let old = used?.repoDigests.first { $0.name == reference.name }?.digest
        if used != nil, old == nil { return found.append(.init(name: name, state: .local)) }
        if used == nil { missing = missing ?? name }
        let new: Digest
        do throws(ShaleError) {
            new = try digest(today: reference.withDefaultTag, old: old, used: used, operation)
        } catch {
            guard error.code != .cancelled else { throw error }
            var told = error
            told.message = "base \(name): its registry cannot be asked what it is today: \(error.message)"
            throw told
        }
        found.append(.init(name: name, state: old == new ? .same(new) : .moved(old: old, new: new)))
        // The name here may mean another image than the registry's; it is not moved.
        if here?.repoDigests.contains(where: { $0.name == reference.name && $0.digest == new }) != true {
            let today = reference.with(digest: new).description
            contexts.append(try NamedContext(parsing: "\(name)=docker-image://\(today)"))
            pulled.append(today)
        }
    }

    /// The digest that a name has at its registry; `old` when only other platforms of an index have changed.
    private func digest(
        today reference: Reference, old: Digest?, used: Image?, _ operation: OperationContext
    ) throws(ShaleError) -> Digest {
        let new = try engine.images.resolve(reference, operation.cancellation).descriptor.digest
        guard let old, let used, new != old else { return new }
        let remote = try engine.images.remoteImage(reference, platform: used.config.platform, operation)
        return remote.descriptor.digest == used.manifestDescriptor.digest ? old : new
    }

    /// The images that were fetched for the build.
    func fetched(besides there: Set<Digest>) -> [Digest] {
        pulled.compactMap { try? engine.images.image(named: $0).id }.filter { !there.contains($0) }
    }
}

/// The lines of a build that were not found in the cache.
final class UncachedLines: Sendable {
    private let lines = Mutex<Set<Int>>([])

    var all: [Int] { lines.withLock { $0.sorted() } }

    func hear(_ event: BuildEvent) {
        guard case .ended(let place, _, false, _) = event,
            ["RUN", "ADD"].contains(place.instruction.prefix { $0 != " " }.uppercased())
        else { return }
        _ = lines.withLock { $0.insert(place.line) }
    }
}
