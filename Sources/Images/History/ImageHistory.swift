package import Basics
package import Layers
package import OCI
package import Stores

/// One line of an image's history, or what a container did after it.
package struct HistoryRow: Sendable {
    /// The container whose own changes it tells.
    package var container: String?
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

    init(_ step: History, size: Int64, layer: HistoryLayer? = nil) {
        created = step.created
        createdBy = step.createdBy ?? ""
        comment = step.comment ?? ""
        author = step.author ?? ""
        self.size = size
        self.layer = layer
    }

    /// A layer that the history does not tell of is as old as the image.
    fileprivate init(_ step: ImageStep, of config: ImageConfig, size: Int64, layer: HistoryLayer? = nil) {
        self.init(step.history ?? History(created: config.created, createdBy: nil), size: size, layer: layer)
    }

    /// What a container changed, and has in its own layer.
    package init(of container: ContainerRecord, number: Int, _ index: LayerIndex) {
        let size = index.entries.reduce(0 as Int64) { $0 &+ $1.size }
        self.init(
            History(
                created: container.created, createdBy: container.command.joined(separator: " "),
                comment: "container \(container.name)"),
            size: size, layer: HistoryLayer(number: number, unpackedSize: size, counting: index))
        self.container = container.id
    }
}

/// What `history --layers` adds.
package struct HistoryLayer: Sendable {
    /// 1 is the lowest.
    package var number: Int
    /// `nil` of a container's own, which has no tar yet.
    package var diffID: Digest?
    package var blob: Descriptor?
    /// Bytes of the layer's files once unpacked.
    package var unpackedSize: Int64
    /// Directory entries of the layer, whiteouts left out.
    package var files: Int
    /// Whiteouts and opaque directories.
    package var whiteouts: Int

    init(
        number: Int, diffID: Digest? = nil, blob: Descriptor? = nil, unpackedSize: Int64, counting index: LayerIndex?
    ) {
        self.number = number
        self.diffID = diffID
        self.blob = blob
        self.unpackedSize = unpackedSize
        files = index?.entries.count { $0.kind != .whiteout && !$0.isImplied } ?? 0
        whiteouts = index?.entries.count { $0.kind == .whiteout || $0.isOpaque } ?? 0
    }
}

extension ImageEngine {
    /// An image's history, newest first; `countingFiles` reads each layer's index for `--layers`.
    ///
    /// Throws what reading the store or an index of a layer throws.
    package func history(of image: Image, countingFiles: Bool = false) throws(ShaleError) -> [HistoryRow] {
        let layers = try historyLayers(of: image, countingFiles: countingFiles)
        var rows = image.config.steps.map { step in
            let layer = step.layer.map { layers[$0] }
            return HistoryRow(step, of: image.config, size: layer?.unpackedSize ?? 0, layer: layer)
        }
        rows.reverse()
        nameImages(&rows, of: image)
        return rows
    }

    /// Of a registry's image; sizes are those of the packed layers.
    package func history(of remote: RemoteImage) -> [HistoryRow] {
        let layers = remote.manifest.layers
        var rows = remote.config.steps.map { step in
            HistoryRow(step, of: remote.config, size: step.layer.map { layers[$0].size } ?? 0)
        }
        rows.reverse()
        if !rows.isEmpty { rows[0].image = remote.manifest.config.digest }
        return rows
    }

    /// Docker gives the newest row the image's id, the next its parent's, as far as the parents are here.
    private func nameImages(_ rows: inout [HistoryRow], of image: Image) {
        var current: Image? = image
        for position in rows.indices {
            // An edit may have made more of its parent's steps, or fewer.
            guard let known = current, known.config.steps.count == rows.count - position else { return }
            rows[position].image = known.id
            current = known.parent.flatMap { try? store.images.image($0) }
        }
    }

    private func historyLayers(of image: Image, countingFiles: Bool) throws(ShaleError) -> [HistoryLayer] {
        var layers: [HistoryLayer] = []
        let diffIDs = image.config.rootfs.diffIDs
        let blobs = image.manifest.layers
        for (position, (diffID, parent)) in LayerStore.stack(of: image.config).enumerated() {
            let blob = position < blobs.count ? blobs[position] : nil
            let size = store.layers.size(diffID, on: parent)?.content ?? 0
            let index =
                countingFiles ? try LayerIndexes.index(position, of: diffIDs, blob: blob, in: store) : nil
            layers.append(
                HistoryLayer(
                    number: position + 1, diffID: diffID, blob: blob, unpackedSize: size, counting: index))
        }
        return layers
    }
}
