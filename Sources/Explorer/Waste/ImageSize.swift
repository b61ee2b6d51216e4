package import Basics
import Layers
import OCI
import Stores

/// The sizes of an image: to download, on disk, shared, unique, visible and hidden, in bytes.
package struct ImageSize: Sendable, Hashable {
    /// The compressed layer blobs; 0 for a container's changes.
    package var download: Int64 = 0
    /// The unpacked files of all layers.
    package var onDisk: Int64 = 0
    /// Of these, layers that other images in the store have as well; for a container the layers of its image.
    package var shared: Int64 = 0
    /// The bytes that removing it would free.
    package var unique: Int64 = 0
    /// The bytes of visible files, and the bytes that later layers hide.
    package var visible: Int64 = 0
    package var hidden: Int64 = 0
    /// The largest layers, the largest first.
    package var largestLayers: [ImageLayer] = []
    /// The largest visible files, with their layers.
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

    /// The sizes of a whole stack, or of one of its layers.
    ///
    /// Throws `notFound` for a number that no layer has, and what reading the layers' indexes and the images throws.
    package init(_ layers: ImageLayers, only number: Int? = nil, top: Int = 5) throws(ShaleError) {
        if let number { _ = try layers.layer(number) }
        // Images without a name are steps of a build. Layers shared only with them do not count as shared.
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
            // A file counts once, however many hard links it has.
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
