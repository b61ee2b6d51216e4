import Basics
import Containers
package import Explorer
import Images
import Layers
import OCI
import Stores

/// What one step of a recipe brings: files, packages, settings.
package struct LineFacts: Sendable {
    package var count = ChangeCount()
    /// The bytes of the files in its layers.
    package var bytes: Int64 = 0
    /// Added, changed and deleted paths, sorted.
    package var changes: [LayerChange] = []
    /// The keys are `MANAGER NAME`, the values are versions.
    package var packages: [ImageComparison.Value] = []
    /// The settings it sets (`+`), removes (`-`) and changes (`~`): `+ Env A`, `~ Cmd`.
    package var settings: [String] = []
}

/// The files and settings after a step: of an image, or of a container in its current state.
struct StepState {
    var layers: ImageLayers
    var settings: ContainerConfig

    func view() throws(ShaleError) -> PlaceView { try PlaceView(layers, layer: nil, label: layers.name) }
}

/// Finds what steps bring that follow each other.
///
/// The layers below are merged once. Not thread-safe.
final class StepReader {
    private let engine: RecipeEngine
    private let operation: OperationContext
    private let warn: (String) -> Void
    private var merged = MergedIndex()
    private var done: [Digest] = []

    init(_ engine: RecipeEngine, _ operation: OperationContext, warn: @escaping (String) -> Void) {
        self.engine = engine
        self.operation = operation
        self.warn = warn
    }

    func state(of image: Image) throws(ShaleError) -> StepState {
        try engine.images.unpackMissingLayers(of: image, operation)
        let layers = ImageLayers(image, name: image.id.short, images: engine.images)
        return StepState(layers: layers, settings: image.containerConfig)
    }

    func state(of record: ContainerRecord) throws(ShaleError) -> StepState {
        let image = try engine.store.images.image(manifest: record.manifest)
        try engine.images.unpackMissingLayers(of: image, operation)
        let own = try ContainerLayer(record, engine: engine.containers)
        return StepState(
            layers: ImageLayers(image, name: record.imageName, images: engine.images, own: own),
            settings: engine.imageSettings(of: record, base: image))
    }

    /// What a step brings; without `before` it is the base, which brings everything it has.
    ///
    /// Throws `cancelled`, and what reading the layers throws.
    func facts(from before: StepState?, to after: StepState) throws(ShaleError) -> LineFacts {
        var facts = LineFacts()
        facts.settings = SettingNames.changes(before?.settings ?? ContainerConfig(), after.settings)
        let start = before?.layers.layers.count ?? 0
        guard after.layers.count > start else { return facts }
        facts.changes = try changes(of: after.layers, above: start)
        facts.count = ChangeCount(facts.changes)
        facts.bytes = try after.layers.stack().dropFirst(start).reduce(0) { $0 &+ $1.bytes }
        if facts.changes.contains(where: { PackageList.isDatabase($0.path) }) {
            let old = start == 0 ? nil : try before?.view()
            facts.packages = try ImageComparison.packages(
                old, after.view(), operation.cancellation, warn: warn)
        }
        return facts
    }

    private func changes(of layers: ImageLayers, above start: Int) throws(ShaleError) -> [LayerChange] {
        let ids = layers.image.config.rootfs.diffIDs
        if done.count > start || !ids.starts(with: done) { (merged, done) = (MergedIndex(), []) }
        var found: [LayerChange] = []
        for number in (done.count + 1)..<(layers.count + 1) {
            try operation.cancellation.check()
            let changes = merged.add(try layers.index(number)).filter { $0.path != "/" }
            if number > start { found += changes }
            // A container's own layer has no digest: the next stack is merged anew.
            done.append(number <= ids.count ? ids[number - 1] : Digest.of("a container".utf8))
        }
        return found
    }
}

/// The names of settings that differ, without their values, which may be secret.
enum SettingNames {
    static func changes(_ old: ContainerConfig, _ new: ContainerConfig) -> [String] {
        let (before, after) = (ConfigMembers.pieces(of: old), ConfigMembers.pieces(of: new))
        let added = Set(after.subtracting(before).map(name))
        let removed = Set(before.subtracting(after).map(name))
        return added.union(removed).sorted(by: PathOrder.precedes).map { name in
            let mark = !removed.contains(name) ? "+" : !added.contains(name) ? "-" : "~"
            return "\(mark) \(name)"
        }
    }

    /// `Env A` of the piece `Env A=b`, and `Cmd` of `Cmd ["sh"]`.
    private static func name(of piece: PathKey) -> String {
        let words = piece.path.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2 else { return piece.path }
        switch words[0] {
        case "Env": return "Env \(words[1].prefix { $0 != "=" })"
        case "Labels": return "Labels \(words[1].prefix { $0 != "\0" })"
        case "ExposedPorts", "Volumes": return piece.path
        default: return words[0]
        }
    }
}
