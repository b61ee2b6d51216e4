package import Basics
import Glibc
package import Layers
package import Linux
package import OCI
import Stores

/// Unpacks one layer on its own thread, from a file that the download still writes.
final class LayerUnpacking: Sendable {
    private let engine: ImageEngine
    private let layer: LayerIntake.Layer
    private let staging: LayerStaging
    private let thread: WorkerThread
    private let result: Condition<Result<UnpackedLayer, ShaleError>?>

    init(
        engine: ImageEngine, layer: LayerIntake.Layer, source: consuming OwnedFD, growth: Growth,
        operation: OperationContext,
        cancellation: Cancellation, lower: @escaping @Sendable () throws(ShaleError) -> [RootDirectory]
    ) throws(ShaleError) {
        let staging = try engine.store.layers.beginUnpack()
        let result = Condition<Result<UnpackedLayer, ShaleError>?>(nil)
        let (root, form, subject) = (try staging.root(), engine.form, "layer \(layer.blob.digest)")
        // An escaping closure cannot own the descriptor, so its number is passed.
        let raw = source.release()
        let progress = ExtractionProgress(id: layer.id, total: layer.blob.size, growth: growth, operation: operation)
        self.engine = engine
        self.layer = layer
        self.staging = staging
        self.result = result
        do throws(ShaleError) {
            thread = try WorkerThread {
                let file = GrowingFile(OwnedFD(adopting: raw), growth: growth) { progress.reached($0) }
                do throws(ShaleError) {
                    let unpacker = LayerUnpacker(into: root, form: form, lower: lower)
                    let unpacked = try unpacker.unpack(file, subject: subject, cancellation: cancellation)
                    result.update { $0 = .success(unpacked) }
                } catch {
                    result.update { $0 = .failure(error) }
                }
            }
        } catch {
            close(raw)
            engine.store.layers.discard(staging)
            throw error
        }
    }

    /// The error that ended the unpacking; `nil` while it runs and after success.
    var failure: ShaleError? {
        result.read { result in
            if case .failure(let error) = result { error } else { nil }
        }
    }

    /// Waits until the unpacking has ended.
    func outcome() -> Result<UnpackedLayer, ShaleError> {
        thread.join()
        return result.wait { $0 }
    }

    /// Moves the unpacked layer into the store.
    func commit(_ unpacked: UnpackedLayer) throws(ShaleError) {
        try engine.commit(unpacked, staging, as: layer.diffID, above: layer.parentChain, blob: layer.blob.digest)
    }

    func discard() { engine.store.layers.discard(staging) }
}

/// Reports the progress of the unpacking after the download has ended.
private final class ExtractionProgress: Sendable {
    private let id: String
    private let total: Int64
    private let growth: Growth
    private let operation: OperationContext
    private let reported = Condition<Int64>(0)

    init(id: String, total: Int64, growth: Growth, operation: OperationContext) {
        self.id = id
        self.total = total
        self.growth = growth
        self.operation = operation
    }

    func reached(_ position: Int64) {
        guard growth.isComplete else { return }
        let isDue = reported.update { reported in
            guard position - reported >= 1 << 20 || (position == total && reported < total) else { return false }
            reported = position
            return true
        }
        if isDue { operation.tell(.bytes(id: id, state: "Extracting", current: position, total: total)) }
    }
}

extension ImageEngine {
    /// Unpacks a layer's blob, compressed or not, and stores the files under its diff ID.
    ///
    /// Throws `corrupt`, and keeps nothing, when the tar has another diff ID; `cancelled` when the operation is
    /// stopped; and what reading the blob or writing to the store throws.
    package func unpackLayer(
        _ source: any ByteSource, as diffID: Digest, above parentChain: Digest?, blob: Digest,
        lower: @escaping @Sendable () throws(ShaleError) -> [RootDirectory], cancellation: Cancellation
    ) throws(ShaleError) {
        let staging = try store.layers.beginUnpack()
        do throws(ShaleError) {
            let unpacker = LayerUnpacker(into: try staging.root(), form: form, lower: lower)
            let unpacked = try Observer.measure(.layer, "unpack \(blob)") { () throws(ShaleError) in
                try unpacker.unpack(source, subject: "layer \(blob)", cancellation: cancellation)
            }
            try commit(unpacked, staging, as: diffID, above: parentChain, blob: blob)
        } catch {
            store.layers.discard(staging)
            throw error
        }
    }

    /// Throws `corrupt` when the layer's diff ID is not the one that the image's config names.
    func check(_ unpacked: UnpackedLayer, is diffID: Digest, blob: Digest) throws(ShaleError) {
        guard unpacked.diffID != diffID else { return }
        throw ShaleError(
            .corrupt, "layers from manifest don't match image configuration",
            cause: "layer \(blob) unpacks to \(unpacked.diffID), the config says \(diffID)")
    }

    func commit(
        _ unpacked: UnpackedLayer, _ staging: LayerStaging, as diffID: Digest, above parentChain: Digest?, blob: Digest
    ) throws(ShaleError) {
        try check(unpacked, is: diffID, blob: blob)
        try store.layers.commit(
            staging, diffID: diffID, index: unpacked.index.encoded(),
            size: LayerSize(tar: unpacked.size, content: unpacked.contentBytes),
            dependingOn: unpacked.dependsOnLower ? parentChain : nil)
    }
}
