import Basics

/// One step of an image's history together with the layer it made.
package struct ImageStep: Sendable, Hashable {
    /// `nil` for a layer that no entry of the history tells of.
    package var history: History?
    /// The layer's position, 0 the lowest; `nil` for a step that made none.
    package var layer: Int?
}

/// Which entry of the history made which layer. Nothing else may pair the two lists.
extension ImageConfig {
    /// All steps, oldest first, each layer in exactly one of them.
    ///
    /// As docker pairs them: entries that made a layer take the layers from the lowest on. Layers that no entry is left
    /// for come last, without one; entries that no layer is left for made none.
    package var steps: [ImageStep] {
        var steps: [ImageStep] = []
        var next = 0
        for entry in history ?? [] {
            let hasLayer = entry.emptyLayer != true && next < rootfs.diffIDs.count
            steps.append(ImageStep(history: entry, layer: hasLayer ? next : nil))
            if hasLayer { next += 1 }
        }
        return steps + (next..<rootfs.diffIDs.count).map { ImageStep(history: nil, layer: $0) }
    }

    /// The entry of each layer, lowest first; `nil` where the history tells of none.
    package var layerHistory: [History?] { steps.filter { $0.layer != nil }.map(\.history) }

    /// Adds a step, and the layer it made.
    ///
    /// First the history is made to tell of every layer below, where it did not: with entries that say nothing. So the
    /// new entry cannot be taken for one of theirs.
    package mutating func append(_ step: History, layer: Digest?) {
        var entries: [History] = []
        for known in steps {
            var entry = known.history ?? History(created: created, createdBy: nil)
            entry.emptyLayer = known.layer == nil ? true : nil
            entries.append(entry)
        }
        var entry = step
        entry.emptyLayer = layer == nil ? true : nil
        history = entries + [entry]
        if let layer { rootfs.diffIDs.append(layer) }
    }
}
