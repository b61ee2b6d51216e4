package import Basics
import Images
import OCI
import Stores

/// A row of `layers IMAGE`.
package struct LayerRow: Sendable, Hashable {
    package var layer: ImageLayer
    /// `nil` for a layer in a registry that was not downloaded.
    package var count: ChangeCount?
    /// Names or short IDs of other images with the same layers up to this one.
    package var sharedWith: [String]

    /// The bytes of its files, or of its blob when only that is known.
    package var bytes: Int64 { layer.size?.content ?? layer.blob?.size ?? 0 }
}

/// The table of `layers IMAGE`.
package struct LayerTable {
    package let layers: ImageLayers

    package init(_ layers: ImageLayers) { self.layers = layers }

    /// The rows, lowest layer first, a container's changes last.
    ///
    /// Nothing is downloaded.
    ///
    /// With `owners` the rows name the images that share the layers.
    ///
    /// Throws what reading the layers' indexes and the images here throws.
    package func rows(telling owners: Bool = false) throws(ShaleError) -> [LayerRow] {
        let merged = MergedIndex()
        var counts: [ChangeCount?] = []
        for layer in layers.layers {
            // The changes of a layer are known only when all layers below it are known.
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

    /// The images that contain a stack of layers, by its chain ID.
    ///
    /// Images that are only steps of a build are left out.
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
