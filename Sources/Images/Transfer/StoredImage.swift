import Basics
import Layers
import OCI
import Stores

extension ImageEngine {
    /// An image of the store, or an index with all its platforms, as the source of a copy.
    ///
    /// It is leased until the command ends.
    ///
    /// Throws `notFound` in docker's wording for an index that is not complete in the store.
    func storedImage(_ image: Image, index: Descriptor?, packing: Packing?) throws(ShaleError) -> StoredImage {
        var manifests = [image.manifest]
        if let index {
            let members = try store.images.members(of: index)
            try requireWhole(members, of: image)
            manifests = members.compactMap(\.manifest)
            for member in members where member.image != nil {
                guard let image = try? store.images.image(manifest: member.descriptor) else { continue }
                try store.hold(image)
            }
        } else {
            try store.hold(image)
        }
        let blobs = manifests.flatMap { $0.layers + [$0.config] }
        return StoredImage(
            document: index ?? image.manifestDescriptor,
            store: try StoreSource(store: store, packing: packing, blobs: blobs))
    }

    /// Throws `notFound` in docker's wording for an index that is not complete in the store, with the command that
    /// fetches the rest.
    private func requireWhole(_ members: [IndexMember], of image: Image) throws(ShaleError) {
        let missing = members.filter { !store.images.usage(of: $0).isWhole }
        guard !missing.isEmpty else { return }
        let name = image.references.first ?? image.repoDigests.first
        let listed = missing.map { $0.platform?.description ?? $0.descriptor.digest.short }
        let shown = listed.prefix(6).joined(separator: ", ") + (listed.count > 6 ? ", …" : "")
        throw ShaleError(
            .notFound,
            "\(name?.familiar ?? image.id.short): not all platforms of its index are here: \(shown)",
            hint: name.map { "pull --platform all \($0.familiar)   (or choose one with --platform)" })
    }
}

/// An image of the store, or an index with all its platforms, as the source of a copy.
struct StoredImage: CopySource {
    /// The manifest, or the index that is copied with all its platforms.
    let document: Descriptor
    let store: StoreSource

    func root(_ operation: OperationContext) throws(ShaleError) -> TransferDocument {
        TransferDocument(
            try store.store.blobs.bytes(document.digest), mediaType: document.mediaType)
    }

    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        try store.store.blobs.bytes(descriptor.digest)
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        try store.outgoing(blob, cancellation: cancellation, passed: passed)
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes {
        try store.open(blob, cancellation: cancellation)
    }

    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool { store.forget(packed, after: error) }

    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference] {
        store.mountSources(of: blob, beside: repository)
    }
}
