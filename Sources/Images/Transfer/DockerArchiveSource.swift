import Basics
import Layers
import OCI
import Stores

/// One image of an archive that `docker save` wrote, as the source of a copy.
///
/// When the archive contains the image's manifest, as docker writes it since version 25, that manifest is copied.
/// Otherwise a manifest is made for the layers in the archive.
struct DockerArchiveSource: CopySource {
    private let files: any LayoutFiles
    private let manifest: TransferDocument
    private let places: [Digest: String]
    /// How uncompressed layers are compressed for the copy; `nil` to copy them unchanged.
    private let packed: PackedLayers?

    init(
        files: any LayoutFiles, name: Reference?, packed: PackedLayers?, _ operation: OperationContext
    ) throws(ShaleError) {
        self.files = files
        guard let bytes = try files.file("manifest.json")?.bytes() else {
            throw ShaleError(.invalid, "\(files.subject): invalid archive: does not contain a manifest.json")
        }
        let entry = try Self.entry(of: name, in: bytes, subject: files.subject)
        guard let config = try files.file(entry.config)?.bytes() else {
            throw ShaleError(.corrupt, "\(files.subject): \(entry.config.visible): not in the archive")
        }
        if let known = Self.known(config: Digest.of(config), in: files, operation) {
            (manifest, places) = (known, [:])
            // The blobs of the archive's own manifest are copied unchanged.
            self.packed = nil
            return
        }
        self.packed = packed
        var places = [Digest.of(config): entry.config]
        var layers: [Descriptor] = []
        for path in entry.layers {
            let layer = try Self.layer(path, in: files, operation)
            places[layer.digest] = path
            layers.append(layer)
        }
        self.places = places
        let made = Manifest(
            config: Descriptor(
                mediaType: MediaType.ociConfig, digest: Digest.of(config), size: Int64(config.count)), layers: layers)
        manifest = TransferDocument(Array(made.document.text().utf8), mediaType: MediaType.ociManifest)
    }

    private struct Entry {
        var config: String
        var layers: [String]
        var names: [String]
    }

    /// The entry with a name, or the only entry.
    private static func entry(
        of name: Reference?, in bytes: [UInt8], subject: String
    ) throws(ShaleError) -> Entry {
        guard case .array(let list) = try JSONDocument(parsing: bytes, naming: "\(subject): manifest.json") else {
            throw ShaleError(.corrupt, "\(subject): manifest.json", cause: "not a list")
        }
        var entries: [Entry] = []
        for document in list {
            let reader = try DocumentReader(document, path: "\(subject): manifest.json")
            entries.append(
                Entry(
                    config: try reader.requiredString("Config"), layers: try reader.strings("Layers") ?? [],
                    names: try reader.strings("RepoTags") ?? []))
        }
        let all = entries.flatMap(\.names).map(\.visible)
        let hint = all.isEmpty ? nil : "there are \(all.joined(separator: ", "))"
        if let tooHigh = entries.first(where: { $0.layers.count > ImageLimits.layers }) {
            throw ShaleError(.invalid, "\(subject): \(tooHigh.layers.count) layers, more than \(ImageLimits.layers)")
        }
        if let name {
            let found = entries.first { entry in
                entry.names.contains { (try? Reference(parsing: $0).withDefaultTag) == name.withDefaultTag }
            }
            if let found { return found }
            throw ShaleError(.notFound, "\(subject): no image of the name \(name.familiar)", hint: hint)
        }
        guard let first = entries.first else {
            throw ShaleError(.notFound, "\(subject): the archive holds no image")
        }
        guard entries.count == 1 else {
            throw ShaleError(.invalid, "\(subject): more than one image, choose one", hint: hint)
        }
        return first
    }

    /// The manifest of a config, from the OCI layout in the same archive.
    private static func known(
        config: Digest, in files: any LayoutFiles, _ operation: OperationContext
    ) -> TransferDocument? {
        guard let bytes = try? files.file("index.json")?.bytes(),
            let index = try? OCIDocument.read(Index.self, from: bytes, naming: "index.json")
        else { return nil }
        let layout = LayoutSource(files: files, tag: nil)
        for entry in index.manifests where MediaType.isManifest(entry.mediaType) {
            guard let bytes = try? layout.document(entry, cancellation: operation.cancellation),
                let manifest = try? OCIDocument.read(Manifest.self, from: bytes, naming: "manifest"),
                manifest.config.digest == config
            else { continue }
            let isWhole = manifest.layers.allSatisfy {
                (try? layout.open($0, cancellation: operation.cancellation)) != nil
            }
            if isWhole { return TransferDocument(bytes, mediaType: entry.mediaType) }
        }
        return nil
    }

    private static func layer(
        _ path: String, in files: any LayoutFiles, _ operation: OperationContext
    ) throws(ShaleError) -> Descriptor {
        guard let part = try files.file(path) else {
            throw ShaleError(.corrupt, "\(files.subject): \(path.visible): not in the archive")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        var hasher = DigestHasher()
        var type = MediaType.ociLayer
        while hasher.count < part.size {
            try operation.cancellation.check()
            let count = try part.read(at: hasher.count, into: buffer)
            guard count > 0 else { throw ShaleError(.corrupt, "\(files.subject): \(path.visible): it ends too early") }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if hasher.count == 0 { type = try mediaType(piece, path, files.subject) }
            hasher.update(piece)
        }
        return Descriptor(mediaType: type, digest: hasher.digest(), size: part.size)
    }

    private static func mediaType(
        _ head: UnsafeRawBufferPointer, _ path: String, _ subject: String
    ) throws(ShaleError) -> String {
        switch Compression.detect(head.prefix(6)) {
        case .none: return MediaType.ociLayer
        case .gzip: return MediaType.ociLayerGzip
        case .zstd: return MediaType.ociLayerZstd
        case .xz, .bzip2:
            throw ShaleError(
                .unsupported, "\(subject): \(path.visible): layers packed so have no media type",
                hint: "unpack the layers of the archive, or pack them with gzip or zstd")
        }
    }

    func root(_ operation: OperationContext) -> TransferDocument { manifest }

    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        try files.document(descriptor, at: places[descriptor.digest])
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        guard let packed, MediaType.isPlainLayer(blob.mediaType) else { return blob }
        return try packed.packed(
            blob, from: { () throws(ShaleError) in try part(blob) }, cancellation: cancellation, passed: passed)
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes {
        if let packed, !MediaType.isPlainLayer(blob.mediaType), places[blob.digest] == nil {
            return try packed.open(blob)
        }
        return try part(blob)
    }

    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool {
        self.packed?.forget(packed, after: error) ?? false
    }

    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference] { [] }

    private func part(_ blob: Descriptor) throws(ShaleError) -> FilePart {
        try files.part(of: blob, at: places[blob.digest])
    }
}
