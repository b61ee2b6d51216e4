import Basics
import Explorer
import Images
import Layers
import OCI
import Stores

/// What the layers of a recipe's image say of its lines, before anything is tried.
struct MinimalFacts {
    /// A line, and a later `RUN` of the same stage that removes files it made.
    struct Undone {
        var made: Int
        var removed: Int
    }

    private(set) var undone: [Undone] = []
    /// Instructions of which no file and no setting is seen to be in the final image.
    private(set) var mayGo: Set<Int> = []

    /// Throws `cancelled`, and what reading the layers throws.
    init(
        _ text: NumberedRecipe, _ made: TrialBuild.Made, engine: RecipeEngine, _ operation: OperationContext
    ) throws(ShaleError) {
        let recipe = text.recipe
        let end = made.image
        let layers = ImageLayers(end, name: end.id.short, images: engine.images)
        var changes: [[LayerChange]] = []
        let merged = try MergedIndex(layers) { changes.append($1) }
        var makers: [Int: Int] = [:]
        var before: Image?
        for step in made.steps {
            let after = try step.image.map { id throws(ShaleError) in try engine.store.images.image(id) }
            defer { before = after }
            guard let index = text.index(ofStepAt: step.line), recipe.lines[index].keyword != "FROM", let after else {
                continue
            }
            let ids = after.config.rootfs.diffIDs
            guard end.config.rootfs.diffIDs.starts(with: ids) else {
                // A line of an earlier stage: only trying can say.
                mayGo.insert(index)
                continue
            }
            let start = before?.config.rootfs.diffIDs.count ?? 0
            let own = start < ids.count ? Array((start + 1)...ids.count) : []
            for number in own { makers[number] = index }
            let isSeen = own.contains { number in
                changes[number - 1].contains { Self.isSeen($0, of: number, in: merged) }
            }
            let isKept = Self.isKept(
                from: before?.containerConfig ?? ContainerConfig(), to: after.containerConfig, in: end.containerConfig)
            if !isSeen, !isKept { mayGo.insert(index) }
            for number in own where recipe.lines[index].keyword == "RUN" {
                for change in changes[number - 1] where change.kind == .deleted {
                    note(change.beforeLayer.flatMap { makers[$0] }, index, recipe)
                }
            }
        }
    }

    private mutating func note(_ maker: Int?, _ remover: Int, _ recipe: Recipe) {
        guard let maker, maker != remover, recipe.stage(of: maker) == recipe.stage(of: remover),
            !undone.contains(where: { $0.made == maker && $0.removed == remover })
        else { return }
        undone.append(Undone(made: maker, removed: remover))
    }

    /// Whether a change of a layer is still seen in the final image.
    private static func isSeen(_ change: LayerChange, of number: Int, in merged: MergedIndex) -> Bool {
        let last = merged[change.path]
        switch change.kind {
        case .deleted: return last == nil
        case .added: return last?.layer == number
        case .changed: return last?.layer == number && !change.reasons.subtracting([.mtime]).isEmpty
        }
    }

    /// Whether all settings that a step changed are in the final image as it left them.
    private static func isKept(
        from old: ContainerConfig, to new: ContainerConfig, in end: ContainerConfig
    ) -> Bool {
        let pieces = (
            old: ConfigMembers.pieces(of: old), new: ConfigMembers.pieces(of: new), end: ConfigMembers.pieces(of: end)
        )
        let (set, removed) = (pieces.new.subtracting(pieces.old), pieces.old.subtracting(pieces.new))
        guard !set.isEmpty || !removed.isEmpty else { return false }
        return set.isSubset(of: pieces.end) && removed.isDisjoint(with: pieces.end)
    }
}
