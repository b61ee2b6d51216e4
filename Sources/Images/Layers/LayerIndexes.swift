package import Basics
import Diagnostics
package import Layers
import Linux
import Logging
package import OCI
package import Stores

/// The file indexes of unpacked layers, made while they were unpacked.
package enum LayerIndexes {
    /// The index of one layer of a stack of diff IDs, 0 the lowest; one that is damaged or gone is made again.
    ///
    /// It is then made from the layer's blob, and `note` gets one sentence about that. A store that cannot be written to
    /// keeps its damaged index. Throws `notFound` when a layer is neither unpacked nor among the blobs, and what reading
    /// it throws.
    package static func index(
        _ position: Int, of diffIDs: [Digest], blob: Descriptor?, in store: Store, note: (String) -> Void = { _ in }
    ) throws(ShaleError) -> LayerIndex {
        let diffID = diffIDs[position]
        guard let path = store.layers.indexPath(diffID, on: Digest.chainID(diffIDs[..<position])) else {
            throw ShaleError(.notFound, "layer \(diffID): not unpacked", hint: "system check --repair")
        }
        do throws(ShaleError) {
            return try LayerIndex(reading: path)
        } catch {
            guard error.code == .corrupt || error.code == .notFound, let blob, store.blobs.contains(blob.digest) else {
                throw error.code == .corrupt ? error.hinting("system check --repair") : error
            }
            let index = try remake(position, diffIDs, blob, store)
            note("layer \(diffID.short): its index was damaged, and is made again")
            Logger.layer.attempt("write the index of layer \(diffID.short)") { try index.write(to: path) }
            return index
        }
    }

    /// Unpacks the blob once more, into a place of its own that is deleted.
    private static func remake(
        _ position: Int, _ diffIDs: [Digest], _ blob: Descriptor, _ store: Store
    ) throws(ShaleError) -> LayerIndex {
        let staging = try store.layers.beginUnpack()
        defer { store.layers.discard(staging) }
        let unpacker = LayerUnpacker(into: try staging.root(), form: store.form) { () throws(ShaleError) in
            var lower: [RootDirectory] = []
            for below in (0..<position).reversed() {
                lower.append(try store.layers.directory(diffIDs[below], on: Digest.chainID(diffIDs[..<below])))
            }
            return lower
        }
        let source = FDSource(try store.blobs.open(blob.digest), subject: "blob \(blob.digest)")
        let unpacked = try unpacker.unpack(source, subject: "layer \(blob.digest)", cancellation: Cancellation())
        guard unpacked.diffID == diffIDs[position] else {
            throw ShaleError(
                .corrupt, "layer \(diffIDs[position]): its blob unpacks to \(unpacked.diffID)",
                hint: "system check --repair")
        }
        return unpacked.index
    }
}
