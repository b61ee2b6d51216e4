import Basics
package import OCI
import Stores

/// The sizes of an image in a registry, in bytes.
///
/// No layer is fetched for them.
package struct RemoteSize: Sendable, Hashable {
    package struct Layer: Sendable, Hashable {
        /// Counted from 1, the lowest layer.
        package let number: Int
        package let blob: Descriptor
        /// Whether it is in the store, packed or unpacked.
        package let isHere: Bool
        package let createdBy: String
    }

    package let layers: [Layer]
    /// The size of manifest and config.
    package let documents: Int64

    /// The size of the packed layers, each counted once, and the documents.
    package var download: Int64 { Self.sum(layers).addingClamped(documents) }
    package var here: Int64 { Self.sum(layers.filter(\.isHere)) }
    /// The number of bytes that a pull would download.
    package var missing: Int64 { Self.sum(layers.filter { !$0.isHere }).addingClamped(documents) }

    private static func sum(_ layers: [Layer]) -> Int64 {
        var seen: Set<Digest> = []
        return layers.reduce(0) { seen.insert($1.blob.digest).inserted ? $0.addingClamped($1.blob.size) : $0 }
    }
}

extension ImageEngine {
    /// The sizes of an image in a registry.
    package func size(of remote: RemoteImage) -> RemoteSize {
        let steps = remote.config.layerHistory
        let ids = remote.config.rootfs.diffIDs
        let layers = remote.manifest.layers.enumerated().map { position, blob in
            let parent = Digest.chainID(ids.prefix(position))
            let isUnpacked = position < ids.count && store.layers.has(ids[position], on: parent)
            return RemoteSize.Layer(
                number: position + 1, blob: blob, isHere: isUnpacked || store.blobs.contains(blob.digest),
                createdBy: position < steps.count ? steps[position]?.createdBy ?? "" : "")
        }
        return RemoteSize(
            layers: layers, documents: remote.descriptor.size.addingClamped(remote.manifest.config.size))
    }
}
