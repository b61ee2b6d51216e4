package import Basics
import Layers
import OCI
import Stores

/// One answer to "how large is it": bytes to download, on disk, shared, its own, seen, hidden.
package struct ImageSize: Sendable, Hashable {
    /// The packed blobs, as a registry has them; layers only, and nothing for a container's own.
    package var download: Int64 = 0
    /// The files of all layers, unpacked.
    package var onDisk: Int64 = 0
    /// Of these, in layers that other images here have too; of a container, those of its image.
    package var shared: Int64 = 0
    /// The bytes that would be free without it.
    package var unique: Int64 = 0
    /// Files that can be seen in the end, and bytes that later layers hide.
    package var visible: Int64 = 0
    package var hidden: Int64 = 0
    /// The layers by size, the largest first.
    package var largestLayers: [ImageLayer] = []
    /// The largest files that can be seen, and the layer of each.
    package var largestFiles: [File] = []

    package struct File: Sendable, Hashable {
        package var path: String
        package var bytes: Int64
        package var layer: Int
    }

    private struct SharedKey: Hashable {
        var layer: Int
        var path: String
    }

    /// Of a whole stack, or of one layer of it.
    ///
    /// Throws `notFound` for a number that is no layer's, and what reading the layers' indexes and the images here
    /// throws.
    package init(_ layers: ImageLayers, only number: Int? = nil, top: Int = 5) throws(ShaleError) {
        if let number { _ = try layers.layer(number) }
        // Images without a name are steps of a build: layers shared with them do not count as shared.
        let owners = try LayerTable.owners(in: layers.images, besides: layers.own == nil ? layers.image.id : nil)
        let stack = try layers.stack().filter { number == nil || $0.number == number }
        for layer in stack {
            download &+= layer.blob?.size ?? 0
            onDisk &+= layer.bytes
            if let chain = layer.chain, owners[chain] != nil { shared &+= layer.bytes }
        }
        unique = onDisk &- shared
        let merged = try MergedIndex(layers)
        var files: [File] = []
        var linked: [SharedKey: File] = [:]
        var names: [SharedKey: [String]] = [:]
        for node in merged.entries where node.resolved.size > 0 && (number == nil || node.layer == number) {
            // A file counts once, whatever number of names it has.
            let path = node.entry.kind == .hardLink ? node.entry.link : node.entry.path
            let file = File(path: node.entry.path, bytes: node.resolved.size, layer: node.layer)
            if merged.hasSeveralNames(node) {
                let key = SharedKey(layer: node.layer, path: path)
                linked[key] = file
                names[key, default: []].append(node.entry.path)
            } else {
                files.append(file)
            }
        }
        for (key, file) in linked {
            var file = file
            file.path = SharedName.best(names[key] ?? []) ?? file.path
            files.append(file)
        }
        visible = files.reduce(0) { $0 &+ $1.bytes }
        hidden = max(0, onDisk &- visible)
        largestFiles = Array(files.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.prefix(top))
        largestLayers = Array(
            stack.filter { $0.bytes > 0 }.sorted { ($1.bytes, $0.number) < ($0.bytes, $1.number) }.prefix(top))
    }
}
