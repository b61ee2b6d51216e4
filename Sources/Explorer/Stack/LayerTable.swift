package import Basics
import Images
import OCI
import Stores

/// A row of `layers IMAGE`.
package struct LayerRow: Sendable, Hashable {
    package var layer: ImageLayer
    /// `nil` for a layer in a registry that was not looked into.
    package var count: ChangeCount?
    /// Names (or short ids) of the other images whose stack begins with the same layers up to this one.
    package var sharedWith: [String]

    /// Bytes of its files, or packed where no more is known.
    package var bytes: Int64 { layer.size?.content ?? layer.blob?.size ?? 0 }
}

/// What `layers` shows of an image.
package struct LayerTable {
    package let layers: ImageLayers

    package init(_ layers: ImageLayers) { self.layers = layers }

    /// The layers, lowest first, a container's own on top; nothing is fetched for those that lie in a registry.
    ///
    /// `owners` says whether to tell which images here share them.
    ///
    /// Throws what reading the layers' indexes and the images here throws.
    package func rows(telling owners: Bool = false) throws(ShaleError) -> [LayerRow] {
        let merged = MergedIndex()
        var counts: [ChangeCount?] = []
        for layer in layers.layers {
            // The changes of a layer are known only by comparing it with all layers below it.
            if counts.contains(nil) {
                counts.append(nil)
            } else {
                counts.append(try layers.knownIndex(layer.number).map { ChangeCount(merged.add($0)) })
            }
        }
        if let own = layers.own { counts.append(try own.count()) }
        let owners = owners ? try Self.owners(in: layers.images, besides: layers.image.id) : [:]
        return zip(try layers.stack(), counts).map { layer, count in
            LayerRow(layer: layer, count: count, sharedWith: layer.chain.flatMap { owners[$0] } ?? [])
        }
    }

    /// The images that have a stack of layers, by its chain ID; nameless steps of builds are left out.
    static func owners(in images: ImageEngine, besides id: Digest?) throws(ShaleError) -> [Digest: [String]] {
        var owners: [Digest: [String]] = [:]
        for summary in try images.all() where summary.id != id {
            let image = try images.image(id: summary.id)
            let names = summary.references.isEmpty ? [summary.id.short] : summary.references.map(\.familiar)
            var chain: Digest?
            for diffID in image.config.rootfs.diffIDs {
                chain = Digest.chainID([chain, diffID].compactMap(\.self))
                if let chain { owners[chain, default: []] += names }
            }
        }
        return owners.mapValues { $0.sorted() }
    }
}
