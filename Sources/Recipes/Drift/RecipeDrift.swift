package import Basics
import Building
package import Explorer
import Images
package import OCI
import Stores

/// What an unpinned build would make differently today.
package struct RecipeDrift: Sendable {
    /// An image that the recipe begins with or copies from.
    package struct Base: Sendable, Hashable {
        package enum State: Sendable, Hashable {
            /// The registry has the digest that was used.
            case same(Digest)
            /// The registry has another digest now; `old` is `nil` when the one that was used is not known.
            case moved(old: Digest?, new: Digest)
            /// Its name has a digest, so it cannot change.
            case pinned
            /// It did not come from a registry: it is taken as it is.
            case local
        }

        package var name: String
        package var state: State
    }

    package var bases: [Base]
    package var made: ImageComparison
    /// Lines of a Dockerfile whose result of earlier builds is not here any more: they were built again, too.
    package var unknownLines: [Int] = []

    /// Whether a base has another digest at its registry now.
    package var hasMovedBase: Bool {
        bases.contains { if case .moved = $0.state { true } else { false } }
    }
}

extension RecipeEngine {
    /// Rebuilds a recipe today, without the cache and with its bases as their registries have them now, and compares
    /// the result with what was made.
    ///
    /// Names of bases in the store do not move, and what was fetched and made is removed. `warn` is called for each
    /// package database that cannot be read.
    ///
    /// Throws `unavailable` when a registry cannot be asked, and what building and comparing throw.
    package func drift(
        of recipe: Recipe, _ subject: RecipeSubject, called name: String, _ operation: OperationContext,
        warn: (String) -> Void
    ) throws(ShaleError) -> RecipeDrift {
        let scratch = try ScratchFolder(in: store)
        let folder = "\(scratch.path)/recipe"
        _ = try RecipeFolder(folder, engine: self).save(recipe, operation.cancellation)
        let base = try firstImage(of: subject)
        let bases = try BasesToday(recipe.dockerfile, firstBase: base, engine: self, operation)
        let source: RecipeSide.Source =
            switch subject {
            case .image(let image): .image(image)
            case .container(let record): .container(record)
            }
        let side = RecipeSide(name: name, dockerfile: "", source: source)
        let made = try withView(of: side, operation) { before throws(ShaleError) in
            try rebuilt(BuildRequest(source: .directory(folder)), bases, before, operation, warn)
        }
        return RecipeDrift(bases: bases.found, made: made)
    }

    /// The same of a Dockerfile of the host: what it makes with the cache and the bases that are here is compared with
    /// what it would make today.
    ///
    /// Throws `notFound` when a base is not here, and what the other one throws.
    package func drift(
        ofFile path: String, context: String, text: String, called name: String, _ operation: OperationContext,
        warn: (String) -> Void
    ) throws(ShaleError) -> RecipeDrift {
        let bases = try BasesToday(text, firstBase: nil, engine: self, operation)
        if let missing = bases.missing {
            throw ShaleError(
                .notFound, "base \(missing) is not here: there is nothing to compare today's with",
                hint: "build \(context.shellQuoted)")
        }
        var request = BuildRequest(source: .directory(context))
        request.dockerfile = path
        var cached = request
        cached.steps.fillsCache = false
        let lines = UncachedLines()
        cached.observe = { lines.hear($0) }
        let made = try building.withTrialBuild(cached, known: knownImages(), operation) { image throws(ShaleError) in
            try rebuilt(request, bases, view(of: image, called: name, operation), operation, warn)
        }
        return RecipeDrift(bases: bases.found, made: made, unknownLines: lines.all)
    }

    private func rebuilt(
        _ request: BuildRequest, _ bases: BasesToday, _ before: PlaceView, _ operation: OperationContext,
        _ warn: (String) -> Void
    ) throws(ShaleError) -> ImageComparison {
        let there = try images.allThere()
        defer { for id in bases.fetched(besides: there) { images.discardImage(id) } }
        var request = request
        request.contexts = bases.contexts
        request.steps.usesCache = false
        request.steps.fillsCache = false
        return try building.withTrialBuild(request, known: knownImages(), operation) { image throws(ShaleError) in
            let after = try view(of: image, called: before.label, operation)
            return try ImageComparison(before, after, semantic: true, operation.cancellation, warn: warn)
        }
    }

    /// The image that the last stage of a recipe begins with; `nil` when it is not here.
    private func firstImage(of subject: RecipeSubject) throws(ShaleError) -> Image? {
        var next: Image
        switch subject {
        case .image(let image): next = image
        case .container(let record): next = try store.images.image(manifest: record.manifest)
        }
        var seen: Set<Digest> = []
        while let provenance = try images.provenance(of: next.id) {
            guard seen.insert(next.id).inserted else { throw provenance.turnsBack(next.id) }
            let parent = try provenance.parent.flatMap { parent throws(ShaleError) in try imageIfHere(parent) }
            guard let parent else { return nil }
            next = parent
        }
        return next
    }
}
