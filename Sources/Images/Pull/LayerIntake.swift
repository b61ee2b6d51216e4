import Basics
import Layers
import Linux
import OCI
import Registries
import Stores

/// Downloads the layers of a pulled image, three at a time, and unpacks each during its download.
///
/// The lowest layer starts first. So a layer with hard links to files of lower layers waits only for layers whose
/// download has started.
final class LayerIntake: Sendable {
    /// One layer of the manifest.
    struct Layer: Sendable {
        let position: Int
        let blob: Descriptor
        let diffID: Digest
        /// The chain ID of the layers below.
        let parentChain: Digest?

        var id: String { blob.digest.short }
    }

    private let engine: ImageEngine
    private let reference: Reference
    private let operation: OperationContext
    private let layers: [Layer]
    private let stack: LayerStack

    init(engine: ImageEngine, reference: Reference, remote: RemoteImage, operation: OperationContext) {
        self.engine = engine
        self.reference = reference
        self.operation = operation
        let diffIDs = remote.config.rootfs.diffIDs
        layers = zip(remote.manifest.layers, diffIDs).enumerated().map { position, pair in
            Layer(
                position: position, blob: pair.0, diffID: pair.1,
                parentChain: Digest.chainID(diffIDs[..<position]))
        }
        stack = LayerStack(store: engine.store, diffIDs: diffIDs)
    }

    /// Returns when the blobs of all layers are in the store and unpacked.
    func run() throws(ShaleError) {
        var waiting: [Layer] = []
        var seen: Set<Digest> = []
        for layer in layers {
            guard seen.insert(layer.blob.digest).inserted else { continue }
            if try isHere(layer) {
                operation.tell(.item(id: layer.id, state: "Already exists"))
                stack.finished(layer.position)
            } else {
                operation.tell(.item(id: layer.id, state: "Pulling fs layer"))
                waiting.append(layer)
            }
        }
        // A layer that occurs twice in an image is downloaded once.
        let brought = Set(waiting.map(\.position))
        for layer in layers where !brought.contains(layer.position) { stack.finished(layer.position) }
        for layer in waiting.dropFirst(ImageLimits.transfers) { operation.tell(.item(id: layer.id, state: "Waiting")) }
        let stopping = Cancellation(below: operation.cancellation)
        try stack.fill(waiting, at: \.position, stopping: stopping) { layer throws(ShaleError) in
            try self.bring(layer, stopping)
        }
    }

    private func isHere(_ layer: Layer) throws(ShaleError) -> Bool {
        let hasBlob = try engine.store.blobs.claim(layer.blob.digest)
        return try engine.store.layers.claim(layer.diffID, on: layer.parentChain) && hasBlob
    }

    private func bring(_ layer: Layer, _ stopping: Cancellation) throws(ShaleError) {
        let isUnpacked = engine.store.layers.has(layer.diffID, on: layer.parentChain)
        if engine.store.blobs.contains(layer.blob.digest) {
            if !isUnpacked { try unpackStored(layer, stopping) }
        } else {
            try download(layer, unpacking: !isUnpacked, stopping)
        }
        operation.tell(.item(id: layer.id, state: "Pull complete"))
    }

    /// Unpacks a complete blob that an interrupted pull left.
    private func unpackStored(_ layer: Layer, _ stopping: Cancellation) throws(ShaleError) {
        operation.tell(.item(id: layer.id, state: "Extracting"))
        try engine.unpackLayer(
            FDSource(engine.store.blobs.open(layer.blob.digest), subject: "blob \(layer.blob.digest)"),
            as: layer.diffID, above: layer.parentChain,
            blob: layer.blob.digest, lower: lowers(of: layer), cancellation: stopping)
    }

    /// Downloads a layer.
    ///
    /// A partial blob of an earlier attempt that proves wrong is downloaded again from its first byte.
    private func download(_ layer: Layer, unpacking: Bool, _ stopping: Cancellation) throws(ShaleError) {
        let download = LayerDownload(
            engine: engine, reference: reference, layer: layer, operation: operation, stopping: stopping)
        for _ in 0..<2 {
            if try download.run(unpacking: unpacking, lower: lowers(of: layer)) { return }
        }
        throw ShaleError(.corrupt, "filesystem layer verification failed for digest \(layer.blob.digest)")
    }

    private func lowers(of layer: Layer) -> @Sendable () throws(ShaleError) -> [RootDirectory] {
        let stack = stack
        return { () throws(ShaleError) in try stack.lowers(of: layer.position) }
    }
}
