package import Basics
package import Layers
package import Linux
package import OCI
package import Stores

// One layer of an image, by its diff ID and the chain ID of those below it.
extension ImageEngine {
    /// Bytes of a layer's files, and of its tar; `nil` while it is not unpacked.
    package func layerSize(_ diffID: Digest, on parentChain: Digest?) -> LayerSize? {
        store.layers.size(diffID, on: parentChain)
    }

    /// A layer's own unpacked tree.
    ///
    /// Throws `notFound` when the layer is not unpacked.
    package func layerDirectory(_ diffID: Digest, on parentChain: Digest?) throws(ShaleError) -> RootDirectory {
        try store.layers.directory(diffID, on: parentChain)
    }

    /// All paths of one layer of a stack of diff IDs, 0 the lowest; see ``LayerIndexes``.
    ///
    /// Throws what reading or rebuilding the index throws.
    package func layerIndex(
        _ position: Int, of diffIDs: [Digest], blob: Descriptor?, note: (String) -> Void
    ) throws(ShaleError) -> LayerIndex {
        try LayerIndexes.index(position, of: diffIDs, blob: blob, in: store, note: note)
    }
}
