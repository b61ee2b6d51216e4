package import Basics
import Layers
package import OCI
package import Stores

/// One line of an image's history.
package struct HistoryRow: Sendable {
    /// The image this step made, where it is here; `nil` shows as `<missing>`.
    package var image: Digest?
    package var created: Timestamp?
    package var createdBy: String
    package var comment: String
    package var author: String
    /// Bytes of the layer's files; 0 for a step without a layer.
    package var size: Int64
    /// The layer, where the step made one.
    package var layer: HistoryLayer?
}

/// What `history --layers` adds.
package struct HistoryLayer: Sendable {
    /// 1 is the lowest.
    package var number: Int
    package var diffID: Digest
    package var blob: Descriptor
    /// Bytes of the layer's files once unpacked.
    package var unpackedSize: Int64
    /// Directory entries of the layer, whiteouts left out.
    package var files: Int
    /// Whiteouts and opaque directories.
    package var whiteouts: Int
}

extension Engine {
    /// An image's history, newest first; `countingFiles` reads each layer's index for `--layers`.
    package func history(of image: Image, countingFiles: Bool = false) throws(ShaleError) -> [HistoryRow] {
        let layers = try historyLayers(of: image, countingFiles: countingFiles)
        var rows: [HistoryRow] = []
        var next = 0
        for step in image.config.history ?? [] {
            var layer: HistoryLayer?
            if step.emptyLayer != true, next < layers.count {
                layer = layers[next]
                next += 1
            }
            rows.append(
                HistoryRow(
                    created: step.created, createdBy: step.createdBy ?? "", comment: step.comment ?? "",
                    author: step.author ?? "", size: layer?.unpackedSize ?? 0, layer: layer))
        }
        // A config without a history, or with too short a one, still has its layers.
        for layer in layers[next...] {
            rows.append(
                HistoryRow(
                    created: image.config.created, createdBy: "", comment: "", author: "", size: layer.unpackedSize,
                    layer: layer))
        }
        rows.reverse()
        nameImages(&rows, of: image)
        return rows
    }

    /// Of a registry's image; sizes are those of the packed layers.
    package func history(of remote: RemoteImage) -> [HistoryRow] {
        var layers = remote.manifest.layers.makeIterator()
        var rows = (remote.config.history ?? []).map { step in
            let blob = step.emptyLayer == true ? nil : layers.next()
            return HistoryRow(
                created: step.created, createdBy: step.createdBy ?? "", comment: step.comment ?? "",
                author: step.author ?? "", size: blob?.size ?? 0)
        }
        rows.reverse()
        if !rows.isEmpty { rows[0].image = remote.manifest.config.digest }
        return rows
    }

    /// Docker gives the newest row the image's id, the next its parent's, as far as the parents are here.
    private func nameImages(_ rows: inout [HistoryRow], of image: Image) {
        var current: Image? = image
        for position in rows.indices {
            guard let known = current else { return }
            rows[position].image = known.id
            current = known.parent.flatMap { try? store.images.image($0) }
        }
    }

    private func historyLayers(of image: Image, countingFiles: Bool) throws(ShaleError) -> [HistoryLayer] {
        var layers: [HistoryLayer] = []
        let diffIDs = image.config.rootfs.diffIDs
        for (position, (diffID, blob)) in zip(diffIDs, image.manifest.layers).enumerated() {
            let parent = Digest.chainID(diffIDs[..<position])
            let size = store.layers.size(diffID, on: parent)
            var row = HistoryLayer(
                number: position + 1, diffID: diffID, blob: blob,
                unpackedSize: size?.content ?? 0, files: 0, whiteouts: 0)
            if countingFiles {
                let index = try LayerIndexes.index(position, of: diffIDs, blob: blob, in: store)
                row.whiteouts = index.entries.count { $0.kind == .whiteout || $0.isOpaque }
                row.files = index.entries.count { $0.kind != .whiteout && !$0.isImplied }
            }
            layers.append(row)
        }
        return layers
    }
}
