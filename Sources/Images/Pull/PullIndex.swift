import Basics
import FoundationEssentials
package import OCI
import Registries
import Stores

/// Which platforms of an index a pull takes.
package enum PulledPlatforms: Sendable, Hashable {
    /// One platform; this machine's if `nil`.
    ///
    /// When the name stands for an index in this home, the platform is added to it. Otherwise the name stands for the
    /// image of this platform.
    case one(Platform?)
    /// These platforms. The name stands for the index.
    case several([Platform])
    /// All platforms, and everything else that the index lists. All of the index is in the store afterwards.
    case all
}

/// A pull of several platforms of one name, or of one more platform.
///
/// The index is stored unchanged, after its members.
struct IndexPull {
    let engine: ImageEngine
    let reference: Reference
    let fetched: FetchedManifest
    let choice: PulledPlatforms
    let operation: OperationContext
    /// Nested indexes as they came.
    private var nested: [[UInt8]] = []
    /// The entries of all indexes together.
    private var entries: [Descriptor] = []

    init(
        engine: ImageEngine, reference: Reference, fetched: FetchedManifest, choice: PulledPlatforms,
        operation: OperationContext
    ) throws(ShaleError) {
        self.engine = engine
        self.reference = reference
        self.fetched = fetched
        self.choice = choice
        self.operation = operation
        var seen: Set<Digest> = []
        try list(fetched, depth: 0, &seen)
    }

    private mutating func list(
        _ document: FetchedManifest, depth: Int, _ seen: inout Set<Digest>
    ) throws(ShaleError) {
        let what = "index \(document.descriptor.digest)"
        guard seen.insert(document.descriptor.digest).inserted else { return }
        guard depth < ImageStore.nesting.depth, seen.count <= ImageStore.nesting.indexes else {
            throw ShaleError(.invalid, "\(reference.familiar): indexes within indexes")
        }
        let index = try OCIDocument.read(Index.self, from: document.document, naming: what)
        try index.validate(naming: what)
        if depth > 0 { nested.append(Array(document.bytes)) }
        for entry in index.manifests {
            guard MediaType.isIndex(entry.mediaType) else {
                entries.append(entry)
                continue
            }
            try list(try fetchedEntry(entry), depth: depth + 1, &seen)
        }
    }

    /// Fetches the document of an entry.
    ///
    /// It must have the entry's media type.
    private func fetchedEntry(_ entry: Descriptor) throws(ShaleError) -> FetchedManifest {
        try operation.cancellation.check()
        let found = try engine.registry.manifest(entry, in: reference, cancellation: operation.cancellation)
        guard MediaType.isIndex(found.mediaType) == MediaType.isIndex(entry.mediaType) else {
            throw ShaleError(
                .corrupt,
                "manifest \(entry.digest): it is \(found.mediaType), its index says \(entry.mediaType.visible)")
        }
        return found
    }

    // MARK: What is taken

    /// The entries that are pulled, each once, in the index's order.
    private func chosen() throws(ShaleError) -> [Descriptor] {
        var digests: Set<Digest> = []
        switch choice {
        case .all:
            digests = Set(entries.map(\.digest))
            guard digests.count <= CollectedImages.most.documents else {
                throw ShaleError(
                    .invalid,
                    "index \(fetched.descriptor.digest): more manifests than \(CollectedImages.most.documents)",
                    hint: "pull --platform \(engine.settings.platform) \(reference.familiar)")
            }
        case .one(let platform): digests = [try entry(for: platform ?? engine.settings.platform).digest]
        case .several(let platforms):
            for platform in platforms { digests.insert(try entry(for: platform).digest) }
        }
        return entries.filter { digests.remove($0.digest) != nil }
    }

    private func entry(for platform: Platform) throws(ShaleError) -> Descriptor {
        let index = Index(manifests: entries)
        guard let entry = index.manifest(for: platform) else { throw ImageEngine.noMatch(platform, in: index) }
        return entry
    }

    // MARK: Bringing it

    /// Pulls the chosen entries.
    ///
    /// Returns the image that a use of the name takes, and whether anything was new.
    func run() throws(ShaleError) -> (image: Image, isNew: Bool) {
        let store = engine.store
        let chosen = try chosen()
        let before = try store.names.table().entry(named: reference)
        var isNew = before?.manifest.digest != fetched.descriptor.digest
        var images: [RemoteImage] = []
        var bytes: Int64 = 0
        for entry in chosen {
            let document = try fetchedEntry(entry)
            if !store.blobs.contains(entry.digest) { isNew = true }
            guard let image = try image(entry, document) else {
                try bringAsItIs(entry, document)
                continue
            }
            images.append(image)
            // All these documents are in memory until the layers of all images are in the store.
            bytes = bytes.addingClamped(Int64(image.configBytes.count + image.manifestBytes.count))
            guard images.count <= CollectedImages.most.documents, bytes <= CollectedImages.most.bytes else {
                throw ShaleError(
                    .invalid, "index \(fetched.descriptor.digest): more images than can be pulled at once",
                    hint: "pull --platform a,b \(reference.familiar)")
            }
        }
        for image in images {
            if images.count > 1 { operation.line("Platform: \(image.config.platform)") }
            try LayerIntake(engine: engine, reference: reference, remote: image, operation: operation).run()
            try operation.cancellation.check()
            _ = try store.blobs.put(image.configBytes)
            _ = try store.blobs.put(image.manifestBytes)
            try engine.unpackMissingLayers(of: image.config, blobs: image.manifest.layers, operation)
        }
        for document in nested { _ = try store.blobs.put(document) }
        if let before, before.manifest.digest != fetched.descriptor.digest { tellLeft(of: before, chosen) }
        let noted = try store.images.add(
            index: Array(fetched.bytes), mediaType: fetched.mediaType, brought: chosen,
            references: reference.digest == nil ? [reference] : [],
            repoDigest: reference.with(digest: fetched.descriptor.digest))
        guard case .one = choice, let only = images.first else { return (noted, isNew) }
        return (try store.images.image(manifest: only.descriptor), isNew)
    }

    /// The image of an entry, to be unpacked; `nil` for an entry that is stored and not unpacked.
    private func image(_ entry: Descriptor, _ fetched: FetchedManifest) throws(ShaleError) -> RemoteImage? {
        let isAsked = choice != .all
        guard isAsked || entry.memberKind == .image else { return nil }
        let what = "manifest \(entry.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: fetched.document, naming: what)
        if !isAsked, manifest.kindOfArtifact != nil { return nil }
        try ImageEngine.checkManifest(manifest, reference)
        let configBytes = try engine.document(manifest.config, in: reference, operation)
        let config = try OCIDocument.read(
            ImageConfig.self, from: configBytes, naming: "config \(manifest.config.digest)")
        // An image of another operating system can be stored, but not unpacked.
        if !isAsked, !config.os.isEmpty, config.os != "linux" { return nil }
        try manifest.validate(naming: what)
        try config.validate(for: manifest, naming: "config \(manifest.config.digest)")
        return RemoteImage(
            reference: reference, resolved: self.fetched.descriptor,
            descriptor: Descriptor(mediaType: entry.mediaType, digest: entry.digest, size: entry.size),
            manifestBytes: fetched.bytes, manifest: manifest, configBytes: configBytes, config: config)
    }

    /// Pulls the blobs of an attestation, another artifact, or an image of another operating system, and unpacks none.
    private func bringAsItIs(_ entry: Descriptor, _ fetched: FetchedManifest) throws(ShaleError) {
        let manifest = try OCIDocument.read(
            Manifest.self, from: fetched.document, naming: "manifest \(entry.digest)")
        let transfer = Transfer(
            source: RegistrySource(engine: engine, reference: reference),
            target: StoreTarget(engine: engine, name: reference, origin: nil, operation: operation),
            words: TransferWords(moving: "Downloading", moved: "Download complete", present: "Already exists"),
            operation: operation)
        _ = try transfer.move(
            (manifest.layers + [manifest.config]).map { blob in
                TransferItem(id: blob.digest.short, blob: blob, isForeign: MediaType.isForeignLayer(blob.mediaType))
            })
        _ = try engine.store.blobs.put(fetched.bytes)
    }

    /// Reports platforms that the name no longer has, because its index in the registry is another one now.
    private func tellLeft(of before: ImageEntry, _ chosen: [Descriptor]) {
        guard before.isIndex, choice != .all,
            let members = try? engine.store.images.members(of: before.manifest)
        else { return }
        let taken = chosen.compactMap(\.platform)
        let left = members.filter { $0.image != nil }.compactMap(\.platform).filter { !taken.contains($0) }
        guard !left.isEmpty else { return }
        operation.note(
            "\(reference.familiar) moved: \(left.map(\.description).joined(separator: ", ")) stay behind   "
                + "(pull --platform all \(reference.familiar) brings every platform of the new index)")
    }
}
