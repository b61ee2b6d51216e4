import Basics
import Building
import Diagnostics
import Images
import Logging
import OCI
import Stores

/// Builds variants of one recipe, to find out what a change of its lines does.
///
/// A variant is carried out from the first step on in which it differs from the variant before. Steps are looked up in
/// the cache, and none is added to it. ``end()`` removes what was made. Not thread-safe.
final class TrialBuild {
    /// A finished build: its image, and the image after each step, by the step's line in the Dockerfile.
    struct Made {
        var image: Image
        /// In the order of the file; `nil` for a step that leaves no image, such as `FROM scratch`.
        var steps: [(line: Int, image: Digest?)]
    }

    enum Outcome {
        case made(Made)
        /// `line` is the line of the step that failed; `nil` when the text cannot be built at all.
        case failed(line: Int?, reason: String)
    }

    private let engine: RecipeEngine
    private let build: SteppedBuild
    private let known: Set<Digest>
    private let scratch: ScratchFolder
    /// The images after the steps that are carried out.
    private var images: [Digest?] = []

    /// Writes the recipe with its files into a scratch folder; nothing is built yet.
    ///
    /// Throws what saving the recipe throws, and `invalid` when it cannot be parsed.
    init(
        _ recipe: Recipe, usesCache: Bool = true, engine: RecipeEngine, _ operation: OperationContext
    ) throws(ShaleError) {
        self.engine = engine
        known = try engine.knownImages()
        scratch = try ScratchFolder(in: engine.store)
        let folder = "\(scratch.path)/recipe"
        _ = try RecipeFolder(folder, engine: engine).save(recipe, operation.cancellation)
        var request = BuildRequest(source: .directory(folder))
        request.steps.usesCache = usesCache
        request.steps.fillsCache = false
        build = try SteppedBuild(request, engine: engine.building, operation.quiet)
    }

    /// Builds a variant.
    ///
    /// Throws `cancelled`, and the store's error when the image cannot be read. Any other failure is an outcome.
    func build(_ text: String, _ operation: OperationContext) throws(ShaleError) -> Outcome {
        do throws(ShaleError) {
            if text != build.text { try build.replaceText(text) }
        } catch {
            guard error.code != .cancelled else { throw error }
            return .failed(line: nil, reason: error.firstLine)
        }
        images.removeSubrange(min(build.next, images.count)...)
        do throws(ShaleError) {
            while build.next < build.steps.count { images.append(try build.carryOut(operation).image?.id) }
        } catch {
            removeFailedContainer()
            guard error.code != .cancelled else { throw error }
            return .failed(line: build.steps[build.next].line, reason: error.firstLine)
        }
        guard let image = build.state?.image else { return .failed(line: nil, reason: "it makes no image") }
        let steps = zip(build.steps, images).map { (line: $0.line, image: $1) }
        return .made(Made(image: image, steps: steps))
    }

    private func removeFailedContainer() {
        guard let container = build.failedContainer, !container.isEmpty else { return }
        Logger.build.attempt("remove container \(container)") { try engine.store.containers.remove(container) }
    }

    /// Removes the images that were made, except those that got a name meanwhile.
    func end() {
        var seen = known
        // An image is made after the one it stands on, so the last one goes first.
        for id in build.made.reversed() where seen.insert(id).inserted {
            guard let image = try? engine.store.images.image(id), image.references.isEmpty else { continue }
            engine.images.discardImage(id)
        }
    }
}

extension OperationContext {
    /// The same operation, which tells only how far downloads are.
    var quiet: OperationContext {
        OperationContext(cancellation: cancellation) { [tell] progress in
            switch progress {
            case .item, .bytes: tell(progress)
            case .line, .note, .output: break
            }
        }
    }
}

extension ShaleError {
    /// The first line of its text.
    fileprivate var firstLine: String {
        description.split(separator: "\n").first.map(String.init) ?? description
    }
}
