package import Basics
package import Layers
package import OCI
import Registries
import Stores

/// A copy of an image: its source, its target, and options.
package struct ImageCopy: Sendable {
    package var source: ImagePlace
    package var target: ImagePlace
    /// Whether an index is copied unchanged, with all its platforms.
    package var hasAllPlatforms = false
    /// The only platform of an index that is copied; the host's if `nil`.
    package var platform: Platform?
    /// How layers that were made in this home are compressed for a registry.
    package var packing = Packing.standard

    package init(from source: ImagePlace, to target: ImagePlace) {
        self.source = source
        self.target = target
    }
}

extension ImageEngine {
    /// Copies an image from one place to another, and returns the descriptor of its manifest or index there.
    ///
    /// Only what the target lacks is copied. Blobs and documents are copied unchanged, but for a registry the
    /// uncompressed layers of this home and of docker archives are compressed. Reports the states of the blobs. Throws
    /// `notFound` or `invalid` when the source names no image, `unsupported` for an image that the target cannot hold,
    /// and what reading and writing throw.
    package func copy(_ copy: ImageCopy, _ operation: OperationContext) throws(ShaleError) -> Descriptor {
        let source = try source(of: copy, operation)
        var root = try source.root(operation)
        if !copy.hasAllPlatforms { root = try chosen(from: root, for: copy, source, operation) }
        if MediaType.isIndex(root.descriptor.mediaType) { try Self.requireWhole(copy.target) }
        var collected = CollectedImages(source: source, cancellation: operation.cancellation)
        try collected.add(root, depth: 0)
        let target = try target(of: copy, operation)
        let transfer = Transfer(source: source, target: target, words: .copy, operation: operation)
        let sent = try transfer.move(collected.items)
        let report = TransferReport(cancellation: operation.cancellation)
        var travelled = TravelledDocuments(sent)
        for document in collected.documents.dropLast() {
            try target.put(travelled.renamed(document), isNamed: false, report: report)
        }
        root = try travelled.renamed(root)
        try target.put(root, isNamed: true, report: report)
        try target.finish()
        return root.descriptor
    }

    private func source(of copy: ImageCopy, _ operation: OperationContext) throws(ShaleError) -> any CopySource {
        var isRegistry = false
        if case .registry = copy.target { isRegistry = true }
        switch copy.source {
        case .registry(let reference): return RegistrySource(engine: self, reference: reference)
        case .layout(let path, let tag): return LayoutSource(files: FolderFiles(path: path), tag: tag)
        case .archive(let path, let tag):
            return LayoutSource(
                files: try ArchiveFiles(path: path, store: store, cancellation: operation.cancellation), tag: tag)
        case .dockerArchive(let path, let name):
            return try DockerArchiveSource(
                files: try ArchiveFiles(path: path, store: store, cancellation: operation.cancellation), name: name,
                packed: isRegistry ? PackedLayers(store: store, packing: copy.packing) : nil, operation)
        case .local(let name):
            let image = try image(named: name, platform: copy.platform)
            return try storedImage(
                image, index: copy.hasAllPlatforms ? image.index : nil,
                packing: isRegistry && !image.isAsPulled ? copy.packing : nil)
        }
    }

    private func target(of copy: ImageCopy, _ operation: OperationContext) throws(ShaleError) -> any TransferTarget {
        switch copy.target {
        case .registry(let reference): return RegistryTarget(client: registry, reference: reference)
        case .layout(let path, let tag): return try LayoutTarget(path: path, tag: tag)
        case .archive(let path, let tag):
            return try ArchiveTarget(path: path, tag: tag, name: nil, isDockers: false)
        case .dockerArchive(let path, let name):
            return try ArchiveTarget(path: path, tag: nil, name: name, isDockers: true)
        case .local(let name):
            var origin: Reference?
            if case .registry(let reference) = copy.source { origin = reference }
            return StoreTarget(
                engine: self, name: try Reference(parsing: name).asTarget(), origin: origin, operation: operation)
        }
    }

    /// The manifest for the platform, when the document is an index; otherwise the document itself.
    private func chosen(
        from root: TransferDocument, for copy: ImageCopy, _ source: any CopySource, _ operation: OperationContext
    ) throws(ShaleError) -> TransferDocument {
        let platform = copy.platform ?? settings.platform
        var current = root
        for _ in 0..<4 {
            guard MediaType.isIndex(current.descriptor.mediaType) else {
                if let wanted = copy.platform { try check(current, is: wanted, source, operation) }
                return current
            }
            let index = try OCIDocument.read(
                Index.self, from: current.bytes, naming: "index \(current.descriptor.digest)")
            guard let entry = index.manifest(for: platform) else { throw Self.noMatch(platform, in: index) }
            current = TransferDocument(
                try source.document(entry, cancellation: operation.cancellation), mediaType: entry.mediaType)
        }
        throw ShaleError(.invalid, "index \(root.descriptor.digest): indexes within indexes")
    }

    /// Throws `notFound` when an image has another platform than the requested one.
    private func check(
        _ document: TransferDocument, is wanted: Platform, _ source: any CopySource, _ operation: OperationContext
    ) throws(ShaleError) {
        let label = "manifest \(document.descriptor.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: document.bytes, naming: label)
        let config = try OCIDocument.read(
            ImageConfig.self, from: try source.document(manifest.config, cancellation: operation.cancellation),
            naming: "config \(manifest.config.digest)")
        guard PlatformOrder(wanted).accepts(config.platform) else {
            throw ShaleError(
                .notFound,
                "\(label): its platform (\(config.platform)) does not match the specified platform (\(wanted))")
        }
    }

    /// Throws `unsupported` for a target that can hold only one platform.
    private static func requireWhole(_ target: ImagePlace) throws(ShaleError) {
        switch target {
        case .registry, .layout, .archive, .local: return
        case .dockerArchive:
            throw ShaleError(
                .unsupported, "a docker archive holds one platform of an image",
                hint: "leave -a out, or copy to oci-archive:FILE")
        }
    }
}
