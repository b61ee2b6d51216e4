import Basics
import Layers
import OCI
import Stores

/// The store as the source of a transfer.
struct StoreSource: TransferSource {
    let store: Store
    /// How uncompressed layers are compressed for the transfer; `nil` to send every blob unchanged.
    let packed: PackedLayers?
    /// The repositories that have a blob, as far as images in the store show it.
    private let known: [Digest: [Reference]]

    /// `blobs` are the blobs that will be transferred.
    ///
    /// Throws what reading the names throws.
    init(store: Store, packing: Packing?, blobs: [Descriptor]) throws(ShaleError) {
        self.store = store
        packed = packing.map { PackedLayers(store: store, packing: $0) }
        known = try store.images.repositories(of: Set(blobs.map(\.digest)))
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        guard let packed, MediaType.isPlainLayer(blob.mediaType) else { return blob }
        return try packed.packed(
            blob, from: { () throws(ShaleError) in try file(blob) }, cancellation: cancellation, passed: passed)
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes {
        if let packed, !store.blobs.contains(blob.digest) { return try packed.open(blob) }
        return try file(blob)
    }

    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool {
        self.packed?.forget(packed, after: error) ?? false
    }

    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference] {
        (known[blob.digest] ?? []).filter { $0.domain == repository.domain && $0.path != repository.path }
    }

    private func file(_ blob: Descriptor) throws(ShaleError) -> FilePart {
        let size = try store.blobs.size(blob.digest)
        guard size == blob.size else {
            throw ShaleError(
                .corrupt, "blob \(blob.digest): \(size) bytes instead of the \(blob.size) announced",
                hint: "system check --repair")
        }
        return FilePart(OwnedFile(try store.blobs.open(blob.digest), subject: "blob \(blob.digest)"), size: size)
    }
}
