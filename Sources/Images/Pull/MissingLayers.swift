package import Basics
import Layers
import Linux
import OCI
package import Stores

extension ImageEngine {
    /// Unpacks those layers of an image that are not unpacked in the store.
    ///
    /// It is fast when there are none.
    ///
    /// Layers can be missing because another tool put the image into the layout, or because a repair removed a damaged
    /// layer. They are unpacked from their blobs. Throws `cancelled` when the operation is stopped, and what reading or
    /// unpacking a blob throws.
    package func unpackMissingLayers(of image: Image, _ operation: OperationContext) throws(ShaleError) {
        try unpackMissingLayers(of: image.config, blobs: image.manifest.layers, operation)
    }

    /// Does the same for an image that is being made.
    ///
    /// `blobs` has one blob for each layer, lowest first.
    func unpackMissingLayers(
        of config: ImageConfig, blobs: [Descriptor], _ operation: OperationContext
    ) throws(ShaleError) {
        try store.hold(config, blobs: blobs)
        let missing = store.layers.missing(for: config)
        guard !missing.isEmpty else { return }
        let layers = LayerStore.stack(of: config)
        guard layers.count == blobs.count else {
            throw ShaleError(
                .corrupt, "layers from manifest don't match image configuration",
                cause: "\(blobs.count) layers, \(layers.count) diff IDs")
        }
        let stack = LayerStack(store: store, diffIDs: config.rootfs.diffIDs)
        for position in layers.indices where !missing.contains(position) { stack.finished(position) }
        let stopping = Cancellation(below: operation.cancellation)
        try stack.fill(missing, at: \.self, stopping: stopping) { position throws(ShaleError) in
            let layer = layers[position]
            let blob = blobs[position].digest
            operation.tell(.item(id: blob.short, state: "Extracting"))
            try self.unpackLayer(
                FDSource(self.store.blobs.open(blob), subject: "blob \(blob)"), as: layer.diffID,
                above: layer.parentChain, blob: blob,
                lower: { () throws(ShaleError) in try stack.lowers(of: position) }, cancellation: stopping)
            operation.tell(.item(id: blob.short, state: "Pull complete"))
        }
    }
}
