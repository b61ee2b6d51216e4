import Basics
import Dockerfiles
package import Images
import Linux
package import OCI
import Stores
import Synchronization

/// An event of a build, for a program that follows the build (`--progress json`).
package enum BuildEvent: Sendable {
    /// The size of the context in bytes.
    case context(bytes: Int64)
    case began(Position)
    /// Why a step was not in the cache.
    case missed(Position, reason: String)
    case output(Position, text: String, isError: Bool)
    case ended(Position, image: Digest?, isCached: Bool, summary: StepSummary)
    case failed(Position, message: String, status: Int32?, container: String?)
    case note(String)
    case skipped(stage: String)
    case built(image: Digest)
    case tagged(String)

    /// A step of the build, and its place in the Dockerfile.
    package struct Position: Sendable {
        package var number: Int
        package var count: Int
        /// The stage's name or number; empty before the first `FROM`.
        package var stage: String
        package var line: Int
        package var instruction: String
    }
}

/// Turns the progress of one stage into build events.
final class StepWatch: Sendable {
    private let observe: (@Sendable (BuildEvent) -> Void)?
    private let current = Mutex<BuildEvent.Position?>(nil)

    init(_ observe: (@Sendable (BuildEvent) -> Void)?) { self.observe = observe }

    /// The same operation context, whose output and notes are also sent as events.
    func listening(to operation: OperationContext) -> OperationContext {
        guard let observe else { return operation }
        return OperationContext(cancellation: operation.cancellation) { [self] progress in
            let place = current.withLock { $0 }
            switch progress {
            case .output(let bytes, let isError):
                if let place { observe(.output(place, text: String(pathBytes: bytes), isError: isError)) }
            case .note(let text, let kind):
                if let place, case .cacheMiss(let reason) = kind {
                    observe(.missed(place, reason: reason))
                } else {
                    observe(.note(text))
                }
            default: break
            }
            operation.tell(progress)
        }
    }

    func begin(_ step: BuildSequence.Step, of sequence: BuildSequence) {
        guard let observe else { return }
        let stage = step.stage.map { sequence.file.stages[$0].name ?? String($0) } ?? ""
        let place = BuildEvent.Position(
            number: step.number, count: sequence.count, stage: stage, line: step.line, instruction: step.text)
        current.withLock { $0 = place }
        observe(.began(place))
    }

    func end(_ step: BuildSequence.Step, _ outcome: StepOutcome) {
        guard let observe, let place = current.withLock({ $0 }) else { return }
        observe(
            .ended(
                place, image: outcome.image?.id, isCached: outcome.result?.wasCached ?? false,
                summary: outcome.result?.summary ?? .none))
    }

    func fail(_ step: BuildSequence.Step, _ error: ShaleError, container: String?) {
        guard let observe, let place = current.withLock({ $0 }) else { return }
        observe(
            .failed(place, message: error.description, status: error.exitStatus, container: container))
    }
}

/// Whether any step of a build was found in the cache.
///
/// After the first hit each miss is explained.
package final class CacheTally: Sendable {
    private let hits = Atomic<Int>(0)

    package init() {}

    var hasHit: Bool { hits.load(ordering: .relaxed) > 0 }
    func hit() { hits.add(1, ordering: .relaxed) }
}
