import Basics
import Explorer
import Images
import Layers
import OCI
import Stores

/// How the final images of two trial builds differ, with the line of the recipe that made each path.
struct MadeDifference {
    private let differences: [TreeDifference]
    private let before: LayerLines
    private let after: LayerLines
    /// The settings that differ: `+ Env A`.
    let settings: [String]
    /// The bytes of all layers, before and after.
    let bytes: (before: Int64, after: Int64)

    init(
        _ old: TrialBuild.Made, _ new: TrialBuild.Made, engine: RecipeEngine, _ operation: OperationContext
    ) throws(ShaleError) {
        let views = (
            try engine.view(of: old.image, called: old.image.id.short, operation),
            try engine.view(of: new.image, called: new.image.id.short, operation)
        )
        var comparison = TreeComparison(views.0, views.1)
        comparison.comparesTimes = false
        let isSame = old.image.config.rootfs.diffIDs == new.image.config.rootfs.diffIDs
        differences = isSame ? [] : try comparison.differences(operation.cancellation).filter { !$0.isParentOnly }
        before = try LayerLines(old, engine)
        after = try LayerLines(new, engine)
        var settings = SettingNames.changes(old.image.containerConfig, new.image.containerConfig)
        // The author is no setting of a container.
        if !PathOrder.same(old.image.config.author ?? "", new.image.config.author ?? "") {
            settings.append("~ author")
        }
        self.settings = settings
        bytes = (try views.0.storedBytes(), try views.1.storedBytes())
    }

    /// The paths that differ.
    var paths: Set<PathKey> { Set(differences.map { PathKey($0.path) }) }
    /// Those of them that both images have: only these can be things that come out otherwise in each build.
    var changedPaths: Set<PathKey> {
        Set(differences.filter { $0.before != nil && $0.after != nil }.map { PathKey($0.path) })
    }

    /// Sorts the differences: what the line itself brings, and what later lines make differently.
    func sort(into found: inout LineTrial, _ text: NumberedRecipe, dropped: [Int]) throws(ShaleError) {
        let own = text.numbers[dropped[0]]
        let left = Set(dropped.map { text.numbers[$0] })
        var others: [Int: [String]] = [:]
        for difference in differences {
            let makers = [
                difference.before?.layer.flatMap(before.line), difference.after?.layer.flatMap(after.line),
            ]
            if makers[0] == own {
                found.onlyFromIt.append(difference.path)
            } else if let later = makers.compactMap(\.self).filter({ $0 > own }).max() {
                if !left.contains(later) { others[later, default: []].append(difference.path) }
            } else {
                // It deleted or hid what a line above it made.
                found.onlyFromIt.append(difference.path)
            }
        }
        for (line, paths) in others {
            guard let index = text.index(ofStepAt: line) else { continue }
            found.needs.append(
                LineTrial.Need(
                    line: text.numbers[index], instruction: Secrets.masked(text.recipe.lines[index].text).text,
                    kind: .differs(paths)))
        }
        found.settingsWithout = settings
        found.changedPaths = changedPaths
    }
}

/// The lines that made the layers of a trial's final image.
private struct LayerLines {
    private var ends: [(line: Int, count: Int)] = []

    init(_ made: TrialBuild.Made, _ engine: RecipeEngine) throws(ShaleError) {
        let ids = made.image.config.rootfs.diffIDs
        for step in made.steps {
            guard let image = try? step.image.map({ try engine.store.images.image($0) }),
                ids.starts(with: image.config.rootfs.diffIDs)
            else { continue }
            ends.append((step.line, image.config.rootfs.diffIDs.count))
        }
    }

    /// The line that made a layer, by the layer's number from 1.
    func line(_ layer: Int) -> Int? { ends.first { $0.count >= layer }?.line }
}
