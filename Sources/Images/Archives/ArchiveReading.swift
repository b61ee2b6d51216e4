import Basics
import FoundationEssentials
import Layers
import OCI

/// One image found in an archive; its config and its layers were checked against each other.
struct ArchivedImage {
    var config: ImageConfig
    var configBytes: [UInt8]
    var manifestBytes: [UInt8]
    var mediaType: String
    /// One a layer, lowest first.
    var blobs: [StagedBlob]
    var references: [Reference]
}

/// Finds the images of an archive, by docker's `manifest.json` or the OCI index.
struct ArchiveReading {
    let archive: any ImageArchive
    let subject: String
    let platform: Platform
    /// Whether the platform was asked for, or is the host's.
    let isPlatformAsked: Bool
    let cancellation: Cancellation
    /// Told of what is in the archive and is left out.
    let tell: (String) -> Void
    /// Which images of an OCI layout are wanted, without their names; `nil` for all, with them.
    var choice: LayoutChoice?

    /// The images that it holds, without those of `indexes`, which are read already.
    func images(besides indexes: [ArchivedIndex] = []) throws(ShaleError) -> [ArchivedImage] {
        if choice == nil, indexes.isEmpty, let bytes = try archive.document("manifest.json") {
            return try dockerImages(bytes)
        }
        guard let bytes = try archive.document("index.json") else {
            throw ShaleError(.invalid, "\(subject): invalid archive: does not contain a manifest.json")
        }
        let index = try OCIDocument.read(Index.self, from: bytes, naming: "\(subject): index.json")
        return try ociImages(index, besides: Set(indexes.map(\.document.descriptor.digest)))
    }

    // MARK: OCI layouts

    private func ociImages(_ index: Index, besides read: Set<Digest>) throws(ShaleError) -> [ArchivedImage] {
        var images = FoundImages()
        for entry in try chosen(index) where !read.contains(entry.digest) {
            try cancellation.check()
            let references = choice == nil ? Self.references(of: entry) : []
            if images.add(references, to: entry.digest.description) { continue }
            guard let (descriptor, bytes) = try manifest(entry, depth: 0) else { continue }
            if images.add(references, to: descriptor.digest.description, alsoBy: entry.digest.description) { continue }
            guard try isImage(descriptor, bytes) else {
                tell("\(subject): \(descriptor.digest.short) is no image (a signature or another artifact): left out")
                continue
            }
            images.append(
                try image(descriptor, bytes, references),
                by: [entry.digest.description, descriptor.digest.description])
        }
        return images.all
    }

    /// Whether a manifest is an image's; signatures, charts and the like have a config of another type, or none.
    func isImage(_ descriptor: Descriptor, _ bytes: [UInt8]) throws(ShaleError) -> Bool {
        let manifest = try OCIDocument.read(
            Manifest.self, from: bytes, naming: "\(subject): manifest \(descriptor.digest)")
        guard manifest.artifactType == nil,
            [MediaType.ociConfig, MediaType.dockerConfig].contains(
                manifest.config.mediaType)
        else { return false }
        // cosign gives its signatures an image's config type; their layers tell.
        return manifest.layers.allSatisfy { MediaType.isLayer($0.mediaType) }
    }

    /// The entries worth loading: of several under one name, the one for the platform.
    private func chosen(_ index: Index) throws(ShaleError) -> [Descriptor] {
        let entries = (choice ?? .only).entries(of: index).filter { entry in
            entry.annotations?["vnd.docker.reference.type"] == nil
                && (MediaType.isManifest(entry.mediaType) || MediaType.isIndex(entry.mediaType))
        }
        let offered = entries.filter { $0.platform != nil && Self.references(of: $0).isEmpty }
        guard offered.count > 1 || (isPlatformAsked && !offered.isEmpty) else { return entries }
        guard let fitting = Index(manifests: offered).manifest(for: platform) else {
            throw ShaleError(
                .notFound, "\(subject): no matching manifest for \(platform) in the archive",
                hint: "it is there for \(offered.compactMap(\.platform).map(\.description).joined(separator: ", "))")
        }
        return entries.filter { $0 == fitting || $0.platform == nil || !Self.references(of: $0).isEmpty }
    }

    /// Full names that an entry carries; a bare tag, as umoci and docker write it, names no repository.
    ///
    /// A tool that tags within a layout copies the other notes, so the layout's own tag goes before that of a full name.
    static func references(of entry: Descriptor) -> [Reference] {
        let notes = entry.annotations ?? [:]
        if let tag = notes[Annotation.refName], Reference.isTag(tag), let text = notes[Annotation.imageName],
            let reference = try? Reference(parsing: text).asTarget()
        {
            return [reference.with(tag: tag)]
        }
        for key in [Annotation.imageName, Annotation.refName] {
            guard let text = notes[key], text.contains(":") || text.contains("/"),
                let reference = try? Reference(parsing: text).asTarget()
            else { continue }
            return [reference]
        }
        return []
    }

    /// Follows an index to the manifest for the platform; `nil` for what is no image.
    private func manifest(
        _ descriptor: Descriptor, depth: Int
    ) throws(ShaleError) -> (Descriptor, [UInt8])? {
        let bytes = try document(descriptor)
        guard MediaType.isIndex(descriptor.mediaType) else { return (descriptor, bytes) }
        guard depth < 4 else { throw ShaleError(.invalid, "\(subject): indexes within indexes") }
        let index = try OCIDocument.read(Index.self, from: bytes, naming: "\(subject): index \(descriptor.digest)")
        guard let entry = index.manifest(for: platform) else {
            throw ShaleError(
                .notFound, "\(subject): no matching manifest for \(platform) in the manifest list entries",
                hint: "it is there for "
                    + index.manifests.compactMap(\.platform).map(\.description).joined(separator: ", "))
        }
        return try manifest(entry, depth: depth + 1)
    }

    func document(_ descriptor: Descriptor) throws(ShaleError) -> [UInt8] {
        guard let bytes = try archive.document(Self.path(descriptor.digest)) else {
            throw ShaleError(.corrupt, "\(subject): blob \(descriptor.digest): not in the archive")
        }
        guard Int64(bytes.count) == descriptor.size, Digest.of(bytes) == descriptor.digest else {
            throw ShaleError(.corrupt, "\(subject): blob \(descriptor.digest): its bytes do not match its digest")
        }
        return bytes
    }

    func image(
        _ descriptor: Descriptor, _ bytes: [UInt8], _ references: [Reference]
    ) throws(ShaleError) -> ArchivedImage {
        let manifest = try OCIDocument.read(
            Manifest.self, from: bytes, naming: "\(subject): manifest \(descriptor.digest)")
        let configBytes = try document(manifest.config)
        let config = try OCIDocument.read(
            ImageConfig.self, from: configBytes, naming: "\(subject): config \(manifest.config.digest)")
        try checkCount(manifest.layers.count, config)
        var blobs: [StagedBlob] = []
        for layer in manifest.layers {
            let blob = try self.blob(Self.path(layer.digest))
            guard blob.digest == layer.digest, blob.size == layer.size else {
                throw ShaleError(.corrupt, "\(subject): blob \(layer.digest): its bytes do not match its digest")
            }
            blobs.append(blob)
        }
        return ArchivedImage(
            config: config, configBytes: configBytes, manifestBytes: bytes, mediaType: descriptor.mediaType,
            blobs: blobs, references: references)
    }

    static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm)/\(digest.hex)" }

    func blob(_ path: String) throws(ShaleError) -> StagedBlob {
        guard let blob = try archive.blob(path) else {
            throw ShaleError(.corrupt, "\(subject): \(path.visible): not in the archive")
        }
        return blob
    }

    private func checkCount(_ count: Int, _ config: ImageConfig) throws(ShaleError) {
        guard count == config.rootfs.diffIDs.count else {
            throw ShaleError(
                .corrupt,
                "\(subject): invalid manifest, layers length mismatch: expected \(count), "
                    + "got \(config.rootfs.diffIDs.count)")
        }
        guard count <= ImageLimits.layers else {
            throw ShaleError(.invalid, "\(subject): \(count) layers, more than \(ImageLimits.layers)")
        }
    }

    // MARK: Docker archives

    private func dockerImages(_ bytes: [UInt8]) throws(ShaleError) -> [ArchivedImage] {
        let document = try JSONDocument(parsing: bytes, naming: "\(subject): manifest.json")
        guard case .array(let entries) = document else {
            throw ShaleError(.corrupt, "\(subject): manifest.json", cause: "not a list")
        }
        let manifests = try layoutManifests()
        var images = FoundImages()
        for entry in entries {
            try cancellation.check()
            let reader = try DocumentReader(entry, path: "\(subject): manifest.json")
            let configPath = try reader.requiredString("Config")
            let paths = try reader.strings("Layers") ?? []
            let references = try dockerReferences(reader)
            // An archive may name one image several times; it is read once.
            let key = ([configPath] + paths).joined(separator: "\0")
            if images.add(references, to: key) { continue }
            images.append(try dockerImage(configPath, paths, references, manifests), by: [key])
        }
        return images.all
    }

    private func dockerReferences(_ reader: DocumentReader) throws(ShaleError) -> [Reference] {
        var references: [Reference] = []
        for text in try reader.strings("RepoTags") ?? [] {
            guard let reference = try? Reference(parsing: text), reference.tag != nil, reference.digest == nil else {
                throw ShaleError(.invalid, "\(subject): invalid tag \"\(text.visible)\"")
            }
            references.append(try reference.asTarget())
        }
        return references
    }

    private func dockerImage(
        _ configPath: String, _ paths: [String], _ references: [Reference],
        _ manifests: [Digest: (Descriptor, [UInt8])]
    ) throws(ShaleError) -> ArchivedImage {
        guard let configBytes = try archive.document(configPath) else {
            throw ShaleError(.corrupt, "\(subject): \(configPath.visible): not in the archive")
        }
        let id = Digest.of(configBytes)
        if let (descriptor, bytes) = manifests[id] { return try image(descriptor, bytes, references) }
        let config = try OCIDocument.read(ImageConfig.self, from: configBytes, naming: "\(subject): config \(id)")
        try checkCount(paths.count, config)
        var blobs: [StagedBlob] = []
        var layers: [Descriptor] = []
        for path in paths {
            let blob = try self.blob(path)
            blobs.append(blob)
            layers.append(Descriptor(mediaType: try mediaType(of: blob, path), digest: blob.digest, size: blob.size))
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: id, size: Int64(configBytes.count)),
            layers: layers)
        return ArchivedImage(
            config: config, configBytes: configBytes, manifestBytes: Array(manifest.document.text().utf8),
            mediaType: MediaType.ociManifest, blobs: blobs, references: references)
    }

    private func mediaType(of blob: StagedBlob, _ path: String) throws(ShaleError) -> String {
        switch blob.compression {
        case .none: return MediaType.ociLayer
        case .gzip: return MediaType.ociLayerGzip
        case .zstd: return MediaType.ociLayerZstd
        case .xz, .bzip2:
            throw ShaleError(
                .unsupported, "\(subject): \(path.visible): \(blob.compression) layers have no media type",
                hint: "unpack the layers of the archive, or pack them with gzip or zstd")
        }
    }

    /// The manifests of the OCI layout that docker writes into the same archive, by the config they name.
    private func layoutManifests() throws(ShaleError) -> [Digest: (Descriptor, [UInt8])] {
        guard let bytes = try archive.document("index.json"),
            let index = try? OCIDocument.read(Index.self, from: bytes, naming: "index.json")
        else { return [:] }
        var found: [Digest: (Descriptor, [UInt8])] = [:]
        var seen: Set<Digest> = []
        for entry in index.manifests where seen.insert(entry.digest).inserted {
            try cancellation.check()
            guard let (descriptor, bytes) = try? manifest(entry, depth: 0),
                let manifest = try? OCIDocument.read(Manifest.self, from: bytes, naming: "manifest")
            else { continue }
            var isWhole = true
            for layer in manifest.layers where isWhole {
                isWhole = try archive.blob(Self.path(layer.digest))?.digest == layer.digest
            }
            if isWhole { found[manifest.config.digest] = (descriptor, bytes) }
        }
        return found
    }
}

/// The images of an archive, each once, with all names that the archive gives it.
private struct FoundImages {
    private(set) var all: [ArchivedImage] = []
    private var places: [String: Int] = [:]
    private var names: [Set<Reference>] = []

    /// Adds names to an image that was found before; `false` where none was found by this key.
    mutating func add(_ references: [Reference], to key: String, alsoBy other: String? = nil) -> Bool {
        guard let place = places[key] else { return false }
        if let other { places[other] = place }
        for reference in references where names[place].insert(reference).inserted {
            all[place].references.append(reference)
        }
        return true
    }

    mutating func append(_ image: ArchivedImage, by keys: [String]) {
        for key in keys { places[key] = all.count }
        var image = image
        var known: Set<Reference> = []
        image.references = image.references.filter { known.insert($0).inserted }
        names.append(known)
        all.append(image)
    }
}
