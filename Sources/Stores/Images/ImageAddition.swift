package import Basics
package import OCI

/// Images coming in: as a registry had them, or made here.
extension ImageStore {
    /// Adds an image whose manifest came from elsewhere, kept byte by byte as it came.
    ///
    /// Config and layers are blobs already. `repoDigest` is the pinned name it was fetched by. Throws `invalid` for a
    /// manifest or config that this engine cannot use, `notFound` when a blob is missing.
    package func add(
        manifest bytes: some Collection<UInt8>, mediaType: String, references: [Reference] = [],
        repoDigest: Reference? = nil
    ) throws(ShaleError) -> Image {
        let bytes = Array(bytes)
        let digest = Digest.of(bytes)
        let manifest = try OCIDocument.read(Manifest.self, from: bytes, naming: "manifest \(digest)")
        try manifest.validate(naming: "manifest \(digest)")
        let config = try OCIDocument.read(
            ImageConfig.self, from: try blobs.bytes(manifest.config.digest), naming: "config \(manifest.config.digest)")
        try config.validate(for: manifest, naming: "config \(manifest.config.digest)")
        _ = try blobs.put(bytes)
        let descriptor = Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
        return try enter(
            descriptor, manifest, config, parent: nil, references: references,
            repoDigests: repoDigest.map { [$0] } ?? [])
    }

    /// Adds an image made here: writes its config and manifest.
    ///
    /// `layers` are the blobs in the order of the config's diff IDs, lowest first.
    package func add(
        config: ImageConfig, layers: [Descriptor], parent: Digest? = nil, references: [Reference] = []
    ) throws(ShaleError) -> Image {
        let configBytes = Array(try OCIDocument.encode(config))
        let configDigest = try blobs.put(configBytes)
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: configDigest, size: Int64(configBytes.count)),
            layers: layers.map { Descriptor(mediaType: MediaType.oci($0.mediaType), digest: $0.digest, size: $0.size) })
        try manifest.validate(naming: "manifest")
        try config.validate(for: manifest, naming: "config \(configDigest)")
        let bytes = Array(manifest.document.text().utf8)
        let descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: try blobs.put(bytes), size: Int64(bytes.count))
        return try enter(descriptor, manifest, config, parent: parent, references: references, repoDigests: [])
    }

    private func enter(
        _ descriptor: Descriptor, _ manifest: Manifest, _ config: ImageConfig, parent: Digest?,
        references: [Reference], repoDigests: [Reference]
    ) throws(ShaleError) -> Image {
        let id = manifest.config.digest
        var entry = ImageEntry(
            manifest: descriptor, image: id, repoDigests: repoDigests, parent: parent, created: config.created,
            size: layers.totalSize(of: config))
        let needed = [descriptor.digest, id] + manifest.layers.map(\.digest)
        // What was put already may have been leased by another use, since ended; the layers below were found.
        try leases.hold((needed + config.rootfs.diffIDs).map { .digest($0) })
        entry = try names.update { table throws(ShaleError) in
            for digest in needed where !blobs.contains(digest) {
                throw ShaleError(
                    .notFound, "blob \(digest): not in the store",
                    hint: "another shale may have removed it meanwhile: try again")
            }
            for reference in references {
                let tag = reference.tag ?? Reference.defaultTag
                table.insert(entry.named(reference.repository.with(tag: tag)))
            }
            if references.isEmpty { table.insert(entry) }
            return table.entries(of: id).first ?? entry
        }
        leases.release((needed + config.rootfs.diffIDs).map { .digest($0) })
        let same = try names.table().entries(of: id)
        return Image(
            id: id, manifestDescriptor: descriptor, manifest: manifest, config: config, size: entry.size ?? 0,
            references: same.compactMap(\.name).sorted { $0.description < $1.description },
            repoDigests: entry.repoDigests.sorted { $0.description < $1.description }, parent: entry.parent)
    }
}
