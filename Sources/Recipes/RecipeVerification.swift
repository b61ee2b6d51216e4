package import Basics
import Building
import Containers
import Glibc
import Images
import Layers
import Linux
import OCI
package import Stores

/// The subject of a recipe: an image, or a container in its current state.
package enum RecipeSubject: Sendable {
    case image(Image)
    case container(ContainerRecord)
}

/// One difference between the original and the rebuilt image.
package struct RecipeDifference: Sendable, Hashable {
    /// A path, or `config` for the settings.
    package var subject: String
    /// What differs, in words.
    package var what: String
    /// The instruction that made the difference; `nil` when it is not known.
    package var step: String?
    /// The instruction's line in the Dockerfile, from 1.
    package var line: Int?

    package init(subject: String, what: String, step: String? = nil, line: Int? = nil) {
        self.subject = subject
        self.what = what
        self.step = step
        self.line = line
    }
}

extension RecipeEngine {
    /// Rebuilds an image from its recipe, without the cache and without a name, and returns the differences.
    ///
    /// Each path's type, mode, owner, size, content, link target and attributes are compared, and the config, but no
    /// times.
    /// The rebuilt image is always removed, also after a failure or an interruption. Throws what saving the recipe and
    /// building throw.
    package func verify(
        _ recipe: Recipe, of subject: RecipeSubject, _ operation: OperationContext
    ) throws(ShaleError) -> [RecipeDifference] {
        let scratch = try ScratchFolder(in: store)
        let folder = "\(scratch.path)/recipe"
        _ = try RecipeFolder(folder, engine: self).save(recipe, operation.cancellation)
        return try compare(subject, with: BuildRequest(source: .directory(folder)), of: recipe, operation)
    }

    /// Builds without the cache, and compares the result with the subject.
    ///
    /// Throws what building and comparing throw.
    func compare(
        _ subject: RecipeSubject, with build: BuildRequest, of recipe: Recipe, _ operation: OperationContext
    ) throws(ShaleError) -> [RecipeDifference] {
        var request = build
        request.steps.usesCache = false
        request.steps.fillsCache = false
        let steps = BuiltSteps()
        request.observe = { event in
            if case .ended(let place, let image?, _, _) = event { steps.note(image, line: place.line) }
        }
        return try building.withTrialBuild(request, known: try knownImages(), operation) {
            rebuilt throws(ShaleError) in
            try RecipeComparison(recipe, of: subject, against: rebuilt, steps, engine: self).differences(
                operation.cancellation)
        }
    }

    /// The images that a trial build must not remove: those in the store, and those that sessions retain.
    ///
    /// Throws the store's error when the images cannot be read.
    func knownImages() throws(ShaleError) -> Set<Digest> {
        let retained = try store.images.retainedTable().entries.compactMap(\.image)
        return Set(try store.images.all(includingIntermediate: true).map(\.id) + retained)
    }
}

/// Compares an original with the image that its recipe made.
struct RecipeComparison {
    private let recipe: Recipe
    private let engine: RecipeEngine
    private let original: MergedTree
    private let settings: ContainerConfig
    private let author: String?
    private let platform: Platform
    private let ignored: Set<String>
    private let rebuilt: Image
    private let blame: RecipeBlame

    init(
        _ recipe: Recipe, of subject: RecipeSubject, against rebuilt: Image, _ steps: BuiltSteps, engine: RecipeEngine
    ) throws(ShaleError) {
        self.recipe = recipe
        self.engine = engine
        self.rebuilt = rebuilt
        switch subject {
        case .image(let image):
            original = try engine.images.tree(of: image)
            settings = image.containerConfig
            author = image.config.author
            platform = image.config.platform
            ignored = []
            blame = try RecipeBlame(recipe, image, isContainer: false, rebuilt, steps, engine: engine)
        case .container(let record):
            let base = try engine.store.images.image(manifest: record.manifest)
            let upper = try engine.images.open(engine.store.containers.folder(record.id).upper)
            original = MergedTree(layers: [upper] + (try engine.containers.lowers(of: record)), form: engine.form)
            settings = engine.imageSettings(of: record, base: base)
            author = base.config.author
            platform = base.config.platform
            ignored = engine.containers.mountStubs(of: record)
            blame = try RecipeBlame(recipe, base, isContainer: true, rebuilt, steps, engine: engine)
        }
    }

    func differences(_ cancellation: Cancellation) throws(ShaleError) -> [RecipeDifference] {
        let again = try engine.images.tree(of: rebuilt)
        let comparison = FileTreeComparison(original, again, comparingTimes: false)
        var found: [RecipeDifference] = []
        for difference in try comparison.differences(cancellation: cancellation) {
            let path = difference.path
            if difference.kind == .onlyLeft, ignored.contains(path) { continue }
            if difference.kind == .onlyRight, recipe.madeByWorkdir.contains(where: { $0.isAtOrBelow(path) }) {
                continue
            }
            // A list that was cleaned on purpose is not reported.
            if difference.kind != .differs, recipe.cleaned.contains(where: { path.isAtOrBelow($0) && path != $0 }) {
                continue
            }
            let what =
                switch difference.kind {
                case .onlyLeft: "not made by the recipe"
                case .onlyRight: "made by the recipe alone"
                case .differs: difference.reasons.map(\.rawValue).sorted().joined(separator: ", ")
                }
            found.append(entry(path, what))
        }
        return traced(found) + configDifferences()
    }

    /// Names the step at which a difference began, when it began at a path that does not exist any more.
    private func traced(_ found: [RecipeDifference]) -> [RecipeDifference] {
        guard !found.isEmpty else { return [] }
        let histories = blame.histories()
        let reported = Set(found.map { PathKey($0.subject) })
        return found.map { difference in
            guard let origin = blame.origin(of: difference.subject, histories, reported: reported) else {
                return difference
            }
            var traced = difference
            traced.what += ", by way of \(origin.path)"
            traced.step = origin.step?.text
            traced.line = origin.step?.line
            return traced
        }
    }

    private func entry(_ path: String, _ what: String) -> RecipeDifference {
        let step = blame.step(of: path)
        return RecipeDifference(subject: path, what: what, step: step?.text, line: step?.line)
    }

    private func configDifferences() -> [RecipeDifference] {
        var old = settings
        let new = rebuilt.containerConfig
        // Every builder sets a PATH when there is none, so no Dockerfile can make an image without a PATH.
        let path = DefaultPath.entry
        if new.env?.first == path, !(old.env ?? []).contains(where: { $0.hasPrefix("PATH=") }) {
            old.env = [path] + (old.env ?? [])
        }
        var found: [RecipeDifference] = []
        let (before, after) = (ConfigMembers(old), ConfigMembers(new))
        for name in after.differences(from: before) {
            let texts = (before.texts[name] ?? "nothing", after.texts[name] ?? "nothing")
            found.append(RecipeDifference(subject: "config", what: "\(name) is \(texts.1) and was \(texts.0)"))
        }
        if rebuilt.config.platform.normalised != platform.normalised {
            let what = "platform is \(rebuilt.config.platform) and was \(platform)"
            found.append(RecipeDifference(subject: "config", what: what))
        }
        if !PathOrder.same(author ?? "", rebuilt.config.author ?? "") {
            let what = "author is \(rebuilt.config.author ?? "") and was \(author ?? "")"
            found.append(RecipeDifference(subject: "config", what: what))
        }
        return found
    }
}
