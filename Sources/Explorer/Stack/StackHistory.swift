package import Basics
import Layers
import OCI
import Stores

/// The stacks of layers that are looked at one after the other, and what is new in each.
///
/// It remembers the files of the last one, so that a step on top of it costs only its own layer. For one thread.
package final class StackHistory {
    package struct Layer: Sendable, Hashable {
        /// The same for the same layer on the same layers below it, and for a container.
        package var key: String
        /// The instruction that made it, on one or more lines.
        package var instruction: String
        /// Bytes of its files.
        package var bytes: Int64
        /// `nil` where the layer's list of files is not here.
        package var count: ChangeCount?
        package var isContainer: Bool
    }

    package struct Stack: Sendable {
        /// The image or container that it is of.
        package var title: String
        /// Lowest first.
        package var layers: [Layer]
        /// What the layers changed that the stack before had not, and what its container has changed since; the first
        /// ``StackHistory/mostChanges``, lowest layer first.
        package var changes: [LayerChange]
        /// How many changes that are in all.
        package var changeCount: Int
    }

    /// The changes of a step that are told by name.
    package static let mostChanges = 300

    private var merged = MergedIndex()
    /// The layers in ``merged``, lowest first; `nil` in ``counts`` for one whose files are not known.
    private var keys: [String] = []
    private var counts: [ChangeCount?] = []
    /// All layers of the stack before.
    private var before: Set<String> = []
    /// What containers had changed when they were looked at last, by their ids.
    private var containers: [String: Set<LayerChange>] = [:]

    package init() {}

    /// Looks at a stack.
    ///
    /// Throws `cancelled`, and what reading the layers' indexes and finding a container's changes throws.
    package func look(at layers: ImageLayers, _ cancellation: Cancellation) throws(ShaleError) -> Stack {
        let own = layers.layers.map { layer in
            (layer.chain ?? layer.diffID).map(\.description) ?? "\(layers.image.id) \(layer.number)"
        }
        if keys.count > own.count || !zip(keys, own).allSatisfy({ $0 == $1 }) {
            (merged, keys, counts) = (MergedIndex(), [], [])
        }
        var fresh: [LayerChange] = []
        for (layer, key) in zip(layers.layers, own).dropFirst(keys.count) {
            try cancellation.check()
            var count: ChangeCount?
            // The changes of a layer are known only by comparing it with all layers below it.
            if counts.allSatisfy({ $0 != nil }), let index = try layers.knownIndex(layer.number) {
                let changes = merged.add(index)
                count = ChangeCount(changes)
                if !before.contains(key) { fresh += changes }
            }
            keys.append(key)
            counts.append(count)
        }
        var drawn = zip(zip(layers.layers, own), counts).map { layer, count in
            Layer(
                key: layer.1, instruction: layer.0.instruction, bytes: layer.0.bytes, count: count, isContainer: false)
        }
        before = Set(own)
        if let container = layers.own { drawn.append(try look(at: container, in: layers, &fresh)) }
        return Stack(
            title: layers.title, layers: drawn, changes: Array(fresh.prefix(Self.mostChanges)),
            changeCount: fresh.count)
    }

    /// The container's own layer; what it changed since it was looked at last is added to `fresh`.
    private func look(
        at container: ContainerLayer, in layers: ImageLayers, _ fresh: inout [LayerChange]
    ) throws(ShaleError) -> Layer {
        let entries = Dictionary(
            try container.index().entries.map { (PathKey($0.path), $0) }, uniquingKeysWith: { first, _ in first })
        let changes = try container.changes().filter { !$0.isParentOnly }.map { change in
            LayerChange(
                kind: change.kind, path: change.path,
                entry: change.kind == .deleted ? nil : entries[PathKey(change.path)], reasons: [], hidden: [:])
        }
        let id = container.record.id
        let known = containers[id] ?? []
        fresh += changes.filter { !known.contains($0) }
        containers[id] = Set(changes)
        return Layer(
            key: "container \(id)", instruction: "what \(container.record.name) changed", bytes: try container.bytes(),
            count: try container.count(), isContainer: true)
    }
}
