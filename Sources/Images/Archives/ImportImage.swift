package import Basics
package import Layers
import Linux
package import OCI
package import Stores

/// What `import` is told.
package struct ImportOptions: Sendable {
    /// The name the image gets, if any.
    package var reference: Reference?
    /// What the history says of it; `Imported from -` if empty.
    package var message = ""
    /// Dockerfile instructions for the config (`CMD ["sh"]`).
    package var changes: [String] = []
    package var platform: Platform?
    /// Where it comes from, for the message and errors: `-`, or a file.
    package var origin = "-"

    package init() {}
}

extension ImageEngine {
    /// Makes an image of one layer from a tar of a root file system, packed in any way.
    ///
    /// The layer is the tar as it is, unpacked. Throws docker's words for a change that cannot be made.
    package func importTree(
        _ source: any ByteSource, _ options: ImportOptions, _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        var config = ImageConfig(platform: options.platform ?? settings.platform)
        var container = ContainerConfig()
        try ConfigChange.apply(options.changes, to: &container)
        config.config = container
        let created = creationTime
        config.created = created
        let ingest = try store.blobs.newIngest()
        let subject = options.origin == "-" ? "stdin" : options.origin
        let stream = try UnpackedStream(source, subject: subject, hashing: false, cancellation: operation.cancellation)
        defer { stream.close() }
        while let chunk = try stream.nextChunk() { try ingest.append(chunk) }
        guard ingest.count > 0 else { throw ShaleError(.invalid, "\(subject): the archive is empty") }
        let diffID = ingest.digest
        _ = try store.blobs.claim(diffID)
        if !store.layers.has(diffID, on: nil) {
            try unpackLayer(
                FDSource(ingest.openForReading(), subject: subject), as: diffID, above: nil, blob: diffID,
                lower: { () throws(ShaleError) in [] }, cancellation: operation.cancellation)
        }
        let blob = try ingest.commit()
        let message = options.message.isEmpty ? "Imported from \(options.origin)" : options.message
        config.append(History(created: created, createdBy: "", comment: message), layer: diffID)
        let image = try store.images.add(
            config: config, layers: [Descriptor(mediaType: MediaType.ociLayer, digest: diffID, size: blob.size)],
            references: options.reference.map { [$0] } ?? []
        ) { id throws(ShaleError) in
            try keepProvenance(Provenance(parent: nil, base: nil, origin: .imported(options.origin)), of: id)
        }
        store.events.append(
            StoreEvent(.image, "import", of: "\(image.id)", ["name": options.reference?.familiar ?? ""]))
        return image
    }
}
