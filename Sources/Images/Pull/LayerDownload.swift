import Basics
import Layers
import Linux
import OCI
import Registries
import Stores

/// The download of one layer.
///
/// This thread downloads, and another thread unpacks the bytes that have arrived.
struct LayerDownload {
    let engine: ImageEngine
    let reference: Reference
    let layer: LayerIntake.Layer
    let operation: OperationContext
    let stopping: Cancellation

    /// The number of bytes between two reports.
    private static let reportEvery: Int64 = 256 << 10

    /// Returns whether the layer is in the store.
    ///
    /// It returns false when the rest of an earlier attempt was wrong; that rest is removed.
    ///
    /// The part of a layer that arrived before a failure stays for the next attempt.
    func run(
        unpacking: Bool, lower: @escaping @Sendable () throws(ShaleError) -> [RootDirectory]
    ) throws(ShaleError) -> Bool {
        let ingest = try engine.store.blobs.ingest(expected: layer.blob)
        let wasResumed = ingest.offset > 0
        do throws(ShaleError) {
            if unpacking {
                try downloadAndUnpack(ingest, lower)
            } else {
                try fetch(into: ingest, growth: nil, sibling: nil)
                _ = tellVerified(ingest)
                try ingest.commit()
            }
            return true
        } catch {
            ingest.abandon(keepingPartial: error.code != .corrupt && error.code != .invalid)
            if wasResumed, error.code == .corrupt { return false }
            throw error
        }
    }

    private func downloadAndUnpack(
        _ ingest: BlobIngest, _ lower: @escaping @Sendable () throws(ShaleError) -> [RootDirectory]
    ) throws(ShaleError) {
        let growth = Growth()
        growth.reached(ingest.offset)
        let unpacking = try LayerUnpacking(
            engine: engine, layer: layer, source: ingest.openForReading(), growth: growth, operation: operation,
            cancellation: stopping, lower: lower)
        do throws(ShaleError) {
            try fetch(into: ingest, growth: growth, sibling: unpacking)
        } catch {
            growth.fail(error)
            _ = unpacking.outcome()
            unpacking.discard()
            throw error
        }
        let isIntact = tellVerified(ingest)
        growth.finish()
        let outcome = unpacking.outcome()
        do throws(ShaleError) {
            // A wrong digest explains any error of the unpacking. A layer with the right digest that cannot be unpacked
            // leaves no blob.
            guard isIntact else {
                try ingest.commit()
                return
            }
            let unpacked = try outcome.get()
            try engine.check(unpacked, is: layer.diffID, blob: layer.blob.digest)
            try ingest.commit()
            try unpacking.commit(unpacked)
        } catch {
            unpacking.discard()
            throw error
        }
    }

    /// Downloads the missing bytes.
    ///
    /// Stops when `sibling` has failed with an error that more bytes cannot remove.
    private func fetch(
        into ingest: BlobIngest, growth: Growth?, sibling: LayerUnpacking?
    ) throws(ShaleError) {
        guard ingest.count < layer.blob.size else { return }
        let id = layer.id
        let total = layer.blob.size
        var reported: Int64 = 0
        operation.tell(.bytes(id: id, state: "Downloading", current: ingest.count, total: total))
        try engine.registry.blob(
            layer.blob, in: reference, offset: ingest.offset, cancellation: stopping,
            retrying: { operation.tell(.item(id: id, state: $0.line)) },
            body: { bytes throws(ShaleError) in
                if let failure = sibling?.failure, failure.code != .corrupt { throw failure }
                try ingest.append(bytes)
                growth?.reached(ingest.count)
                if ingest.count - reported >= Self.reportEvery || ingest.count == total {
                    reported = ingest.count
                    operation.tell(.bytes(id: id, state: "Downloading", current: reported, total: total))
                }
            })
    }

    /// Reports that the bytes are verified, and returns whether they have the right digest.
    ///
    /// They were hashed as they arrived.
    private func tellVerified(_ ingest: BlobIngest) -> Bool {
        operation.tell(.item(id: layer.id, state: "Verifying Checksum"))
        let isIntact = ingest.digest == layer.blob.digest
        if isIntact { operation.tell(.item(id: layer.id, state: "Download complete")) }
        return isIntact
    }
}
