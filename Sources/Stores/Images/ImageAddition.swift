package import Basics
package import OCI

/// Adds images, pulled or made here.
extension ImageStore {
    /// Adds an image with a manifest from elsewhere, which is stored unchanged.
    ///
    /// Config and layers must be blobs already. `repoDigest` is the reference by digest with which it was pulled.
    /// Throws
    /// `invalid` for a manifest or config that shale cannot use, `notFound` when a blob is missing.
    package func add(
        manifest bytes: some Collection<UInt8>, mediaType: String, references: [Reference] = [],
        repoDigest: Reference? = nil
    ) throws(ShaleError) -> Image {
        let arriving = try arriving(
            Array(bytes), mediaType: mediaType, references: references, repoDigests: repoDigest.map { [$0] } ?? [])
        return try enter([arriving])[0]
    }

    /// Adds many images with one write of the table.
    ///
    /// Throws what adding one throws, and `cancelled`; then none of them is added.
    package func add(
        _ images: [(manifest: [UInt8], mediaType: String, references: [Reference])], _ cancellation: Cancellation
    ) throws(ShaleError) -> [Image] {
        var arriving: [ArrivingImage] = []
        for image in images {
            try cancellation.check()
            arriving.append(
                try self.arriving(
                    image.manifest, mediaType: image.mediaType, references: image.references, repoDigests: []))
        }
        return try enter(arriving)
    }

    /// Adds an index of several platforms, which is stored unchanged; returns the image that a use of it takes.
    ///
    /// Its members must be blobs already, also nested indexes. `brought` are the manifests that must be complete.
    /// `members`
    /// are images with their own entries from which the index was made. Throws `invalid` and `corrupt` for an index
    /// that
    /// shale cannot use or whose members do not match it, `unsupported` when no member is for Linux, `notFound` when a
    /// blob
    /// is missing.
    package func add(
        index bytes: [UInt8], mediaType: String, brought: [Descriptor], references: [Reference],
        repoDigest: Reference? = nil, members own: [Digest] = []
    ) throws(ShaleError) -> Image {
        let index = Descriptor(mediaType: mediaType, digest: Digest.of(bytes), size: Int64(bytes.count))
        for reference in references { _ = try reference.asTarget() }
        _ = try blobs.put(bytes)
        var needed: [Descriptor] = [index]
        for descriptor in brought {
            let manifest = try manifest(descriptor)
            needed += [descriptor, manifest.config] + manifest.layers
        }
        try leases.hold(needed.map { .digest($0.digest) })
        let members = try members(of: index)
        guard let chosen = Self.choose(from: members, for: nil), let manifest = chosen.manifest,
            let id = chosen.image
        else {
            throw ShaleError(
                .unsupported, "index \(index.digest): holds no image of this operating system",
                hint: "its members can be copied: copy -a docker://NAME oci:DIR")
        }
        let config = try config(of: manifest)
        var entry = ImageEntry(
            manifest: index, image: id, repoDigests: repoDigest.map { [$0] } ?? [], created: config.created,
            size: layers.totalSize(of: config))
        entry.members = own.isEmpty ? nil : own
        let noted = entry
        let blobsNeeded = needed
        let table = try names.update { table throws(ShaleError) in
            for blob in blobsNeeded where !isHere(blob) && !MediaType.isForeignLayer(blob.mediaType) {
                guard blobs.contains(blob.digest) else {
                    throw ShaleError(
                        .notFound, "blob \(blob.digest): not in the store",
                        hint: "another shale may have removed it meanwhile: try again")
                }
                throw ShaleError(
                    .corrupt, "blob \(blob.digest): not of the \(blob.size) bytes that were announced")
            }
            if references.isEmpty { table.insert(noted) }
            for reference in references { table.insert(noted.named(reference.withDefaultTag)) }
            return table
        }
        leases.release(needed.map { .digest($0.digest) })
        return try load(noted, from: table)
    }

    /// Checks a new image, and stores its manifest as a blob.
    private func arriving(
        _ bytes: [UInt8], mediaType: String, references: [Reference], repoDigests: [Reference]
    ) throws(ShaleError) -> ArrivingImage {
        let digest = Digest.of(bytes)
        let manifest = try OCIDocument.read(Manifest.self, from: bytes, naming: "manifest \(digest)")
        try manifest.validate(naming: "manifest \(digest)")
        let config = try OCIDocument.read(
            ImageConfig.self, from: try blobs.bytes(manifest.config.digest), naming: "config \(manifest.config.digest)")
        try config.validate(for: manifest, naming: "config \(manifest.config.digest)")
        _ = try blobs.put(bytes)
        return ArrivingImage(
            descriptor: Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count)), manifest: manifest,
            config: config, references: references, repoDigests: repoDigests)
    }

    /// Adds an image that was made here: writes its config and manifest.
    ///
    /// `layers` are the blobs in the order of the config's diff IDs, lowest first. `noting` is called with the image's
    /// ID
    /// before the image is in the table, to store facts about it. Throws when config and layers do not match, and what
    /// `noting` or writing to the store throws.
    package func add(
        config: ImageConfig, layers: [Descriptor], parent: Digest? = nil, references: [Reference] = [],
        noting: (Digest) throws(ShaleError) -> Void = { _ in }
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
        try noting(configDigest)
        return try enter([
            ArrivingImage(
                descriptor: descriptor, manifest: manifest, config: config, parent: parent, references: references)
        ])[0]
    }

    /// Throws `corrupt` when a descriptor has another size than its blob.
    private func requireSizes(of image: ArrivingImage) throws(ShaleError) {
        for blob in [image.descriptor, image.manifest.config] + image.manifest.layers where blobs.contains(blob.digest)
        {
            let size = try blobs.size(blob.digest)
            guard size == blob.size else {
                throw ShaleError(
                    .corrupt, "blob \(blob.digest): \(size) bytes instead of the \(blob.size) announced")
            }
        }
    }

    /// Writes images into the table.
    ///
    /// Their blobs must be in the store.
    private func enter(_ images: [ArrivingImage]) throws(ShaleError) -> [Image] {
        for reference in images.flatMap(\.references) { _ = try reference.asTarget() }
        let entries = images.map { $0.entry(size: layers.totalSize(of: $0.config)) }
        for image in images { try requireSizes(of: image) }
        let needed = Set(images.flatMap(\.blobs))
        let leased = needed.union(images.flatMap(\.config.rootfs.diffIDs)).map { Leasable.digest($0) }
        // A blob may have been leased by another use that has ended, so all are leased here.
        try leases.hold(leased)
        let table = try Observer.measure(.image, Self.addition(of: images)) { () throws(ShaleError) in
            try names.update { table throws(ShaleError) in
                for digest in needed where !blobs.contains(digest) {
                    throw ShaleError(
                        .notFound, "blob \(digest): not in the store",
                        hint: "another shale may have removed it meanwhile: try again")
                }
                table.insert(
                    contentsOf: zip(images, entries).flatMap { image, entry in
                        image.references.isEmpty ? [entry] : image.references.map { entry.named($0) }
                    })
                return table
            }
        }
        leases.release(leased)
        let known = table.entriesByImage(of: Set(images.map(\.id)))
        return zip(images, entries).map { image, entry in
            let same = known[image.id] ?? []
            let noted = same.first ?? entry
            return Image(
                id: image.id, manifestDescriptor: image.descriptor, manifest: image.manifest, config: image.config,
                size: noted.size ?? 0,
                references: same.compactMap(\.name).sorted { $0.description < $1.description },
                repoDigests: noted.repoDigests.sorted { $0.description < $1.description }, parent: noted.parent)
        }
    }

    /// The text for a trace: the names that are given, or that there are none.
    private static func addition(of images: [ArrivingImage]) -> String {
        let names = images.flatMap(\.references).map(\.familiar).joined(separator: ", ")
        return names.isEmpty ? "add without a name" : "tag \(names)"
    }
}

/// An image whose blobs are in the store and that is not in the table yet.
private struct ArrivingImage {
    var descriptor: Descriptor
    var manifest: Manifest
    var config: ImageConfig
    var parent: Digest?
    var references: [Reference]
    var repoDigests: [Reference] = []

    var id: Digest { manifest.config.digest }
    var blobs: [Digest] { [descriptor.digest, id] + manifest.layers.map(\.digest) }

    /// Its entry without a name; `size` is the sum of its unpacked layers in bytes.
    func entry(size: Int64?) -> ImageEntry {
        ImageEntry(
            manifest: descriptor, image: id, repoDigests: repoDigests, parent: parent, created: config.created,
            size: size)
    }
}
