import Basics
import Diagnostics
import Glibc
import Layers
import Linux
import Logging
import OCI
import Stores

/// Layers that were compressed for a push.
///
/// They are kept in the cache, so that the next push need not compress them.
struct PackedLayers: Sendable {
    let store: Store
    let packing: Packing

    /// The compressed form of an uncompressed layer: from the cache, or else compressed now.
    ///
    /// Throws what packing the layer or writing it throws.
    func packed(
        _ layer: Descriptor, from part: () throws(ShaleError) -> FilePart, cancellation: Cancellation,
        passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        if let known = known(layer) { return known }
        let target = try store.cache.newPacked()
        let plain = try part()
        try packing.pack(
            plain.file, from: plain.begin, size: layer.size, threads: Workers.processors, cancellation: cancellation,
            passed: passed
        ) { bytes throws(ShaleError) in
            try target.append(bytes)
        }
        try target.commit()
        let note = PackedNote(packed: target.digest, size: target.size, layer: layer.digest)
        Logger.cache.attempt("note a packed layer") { try store.cache.note(note, as: key(layer)) }
        return descriptor(of: layer, digest: target.digest, size: target.size)
    }

    /// Opens a compressed layer in the cache.
    ///
    /// Throws `notFound` when the cache was cleared meanwhile.
    func open(_ packed: Descriptor) throws(ShaleError) -> OwnedFile {
        guard let file = store.cache.open(.packed, packed.digest) else {
            throw ShaleError(
                .notFound, "blob \(packed.digest): not in the store", hint: "another shale cleared the cache: try again"
            )
        }
        return OwnedFile(file, subject: "blob \(packed.digest)")
    }

    /// Removes a compressed layer whose bytes were refused.
    ///
    /// Returns whether it can help to compress the layer again.
    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool {
        let isThere = access(store.cache.path(.packed, packed.digest), F_OK) == 0
        switch error.code {
        case .invalid, .corrupt:
            if isThere { store.cache.remove(.packed, packed.digest) }
            return isThere
        case .notFound: return !isThere
        default: return false
        }
    }

    private func known(_ layer: Descriptor) -> Descriptor? {
        store.cache.packedNote(key(layer)).map { descriptor(of: layer, digest: $0.packed, size: $0.size) }
    }

    private func descriptor(of layer: Descriptor, digest: Digest, size: Int64) -> Descriptor {
        Descriptor(
            mediaType: MediaType.packed(layer.mediaType, by: packing.method.rawValue), digest: digest, size: size,
            annotations: layer.annotations)
    }

    private func key(_ layer: Descriptor) -> Digest {
        Digest.of("packing \(packing) \(Packing.blockSize) \(layer.digest)".utf8)
    }
}
