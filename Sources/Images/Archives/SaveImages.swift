package import Basics
import Glibc
package import Layers
import Linux
package import OCI
package import Stores

/// What an archive of images holds.
package enum ArchiveFormat: String, Sendable, CaseIterable {
    /// An OCI layout and docker's `manifest.json` over the same blobs, as docker writes it since version 25.
    case both
    /// The OCI layout alone.
    case oci
    /// Docker's layout before version 25: each layer a plain `layer.tar` in a folder of its own.
    case docker
}

extension ImageEngine {
    /// Writes images as one tar archive to `sink`.
    ///
    /// A repository without tag stands for all its tags, an id or a digest for the image without a name. Blobs go in
    /// as they lie in the store, so that a loaded image has the manifest it had. Throws `cancelled` when the operation
    /// is stopped, and what finding the images, reading the store or `sink` throws.
    ///
    /// Of a name that stands for an index the archive holds the index with the platforms that are here, or with some of
    /// them; one alone is an image by itself.
    package func save(
        _ names: [String], platforms: [Platform]? = nil, format: ArchiveFormat = .both, to sink: @escaping ByteSink,
        _ operation: OperationContext
    ) throws(ShaleError) {
        try save(savedImages(names, platforms), format, to: sink, operation)
    }

    /// The same of one image, by names that it need not have here.
    ///
    /// Throws `cancelled` when the operation is stopped, and what reading the store or `sink` throws.
    package func save(
        _ image: Image, as names: [Reference], format: ArchiveFormat, to sink: @escaping ByteSink,
        _ operation: OperationContext
    ) throws(ShaleError) {
        var saved = SavedImage(image: image, tags: names)
        if let index = image.index { try gather(index, named: image.id.short, nil, into: &saved) }
        try save([saved], format, to: sink, operation)
    }

    /// Adds an image to an OCI layout in a folder, under names that it need not have here.
    ///
    /// Throws `conflict` for a folder that holds something else, `cancelled`, and what reading the store or writing
    /// throws.
    package func save(
        _ image: Image, as names: [Reference], toLayout path: String, _ operation: OperationContext
    ) throws(ShaleError) {
        try store.hold(image)
        let folder = try LayoutFolder(making: path)
        var saved = SavedImage(image: image, tags: names)
        if let index = image.index { try gather(index, named: image.id.short, nil, into: &saved) }
        var blobs = image.manifest.layers + [image.manifest.config, image.manifestDescriptor]
        for member in saved.members {
            guard let manifest = member.manifest else { continue }
            blobs += manifest.layers + [manifest.config, member.descriptor]
        }
        for blob in blobs + saved.indexes.reversed() {
            if try folder.has(blob) { continue }
            try folder.add(blob, from: store.blobs.open(blob.digest), operation.cancellation)
        }
        let descriptor = saved.indexes.first ?? image.manifestDescriptor
        if names.isEmpty { try folder.name(descriptor) }
        for name in names {
            var entry = descriptor
            entry.annotations = [
                Annotation.imageName: name.description, Annotation.refName: name.tag ?? Reference.defaultTag,
            ]
            try folder.name(entry)
        }
    }

    private func save(
        _ images: [SavedImage], _ format: ArchiveFormat, to sink: @escaping ByteSink, _ operation: OperationContext
    ) throws(ShaleError) {
        for saved in images {
            try store.hold(saved.image)
            for member in saved.members {
                guard let image = try? store.images.image(manifest: member.descriptor) else { continue }
                try store.hold(image)
            }
        }
        let subject = images.first.map { $0.tags.first?.familiar ?? $0.image.id.short } ?? ""
        let total = images.reduce(Int64(0)) { $0.addingClamped(bytes(of: $1, format)) }
        var (written, told) = (Int64(0), Int64(0))
        let writer = TarWriter { bytes throws(ShaleError) in
            try operation.cancellation.check()
            try sink(bytes)
            written = written.addingClamped(Int64(bytes.count))
            guard written - told >= Self.reportEvery else { return }
            told = written
            operation.tell(.bytes(id: subject, state: "Saving", current: min(written, total), total: total))
        }
        switch format {
        case .both, .oci: try LayoutArchive(engine: self, images: images, format: format).write(to: writer)
        case .docker: try LegacyArchive(engine: self, images: images, operation: operation).write(to: writer)
        }
        _ = try writer.finish()
        if told > 0 { operation.tell(.bytes(id: subject, state: "Saving", current: total, total: total)) }
        store.events.append(
            images.map { saved in
                let id = "\(saved.image.id)"
                return StoreEvent(.image, "save", of: id, ["name": saved.tags.first?.familiar ?? id])
            })
    }

    /// Bytes between two reports of an archive's progress.
    private static let reportEvery: Int64 = 1 << 20

    /// About how many bytes an archive has of an image: its blobs, or its layers as plain tars.
    private func bytes(of saved: SavedImage, _ format: ArchiveFormat) -> Int64 {
        guard saved.members.isEmpty else {
            return saved.members.reduce(0) { $0.addingClamped(store.images.usage(of: $1).packed) }
        }
        if format == .docker { return saved.image.size }
        return saved.image.manifest.layers.reduce(0) { $0.addingClamped($1.size) }
    }

    /// The images that names stand for, each once, with the tags that go with it.
    private func savedImages(_ names: [String], _ platforms: [Platform]?) throws(ShaleError) -> [SavedImage] {
        let only = platforms?.count == 1 ? platforms?.first : nil
        var images: [SavedImage] = []
        for name in names {
            for (image, tag) in try selected(by: name, only) {
                let isSame = { (saved: SavedImage) in
                    saved.image.id == image.id && saved.image.index?.digest == image.index?.digest
                }
                if let position = images.firstIndex(where: isSame) {
                    if let tag, !images[position].tags.contains(tag) { images[position].tags.append(tag) }
                } else {
                    var saved = SavedImage(image: image, tags: tag.map { [$0] } ?? [])
                    if let index = image.index { try gather(index, named: name, platforms, into: &saved) }
                    images.append(saved)
                }
            }
        }
        return images
    }

    /// What of an index goes into an archive: the platforms that were asked for, else all that are here whole.
    private func gather(
        _ index: Descriptor, named name: String, _ platforms: [Platform]?, into saved: inout SavedImage
    ) throws(ShaleError) {
        let members = try store.images.members(of: index)
        saved.members = members.filter { store.images.usage(of: $0).isWhole }
        saved.indexes = try store.images.indexes(in: index)
        guard let platforms else { return }
        saved.members = try platforms.map { platform throws(ShaleError) in
            guard let member = ImageStore.choose(from: saved.members, for: platform) else {
                throw ImageStore.noPlatform(platform, of: name, among: members)
            }
            return member
        }
        guard let first = saved.members.first else { return }
        if !saved.members.contains(where: { $0.image == saved.image.id }) {
            saved.image = try store.images.image(manifest: first.descriptor)
            saved.image.index = index
        }
    }

    private func selected(by name: String, _ only: Platform?) throws(ShaleError) -> [(Image, Reference?)] {
        // `sha256:…` is an id, although it reads like a name with a tag.
        guard !name.hasPrefix("sha256:"), let reference = try? Reference(parsing: name), reference.digest == nil else {
            return [(try image(named: name, platform: only), nil)]
        }
        if reference.tag != nil { return [(try image(named: name, platform: only), reference)] }
        let all = try store.names.all().map(\.reference).filter { $0.name == reference.name }
        // A text that is no repository here is an id.
        guard !all.isEmpty else { return [(try image(named: name, platform: only), nil)] }
        var chosen: [(Image, Reference?)] = []
        for tagged in all.sorted(by: { $0.description < $1.description }) {
            chosen.append((try self.image(named: tagged.description, platform: only), tagged))
        }
        return chosen
    }
}

/// One image of an archive and the names it goes by there.
struct SavedImage {
    var image: Image
    var tags: [Reference]
    /// The index, and those in it, where its name stands for one; the outermost first.
    var indexes: [Descriptor] = []
    /// What of the index goes with it.
    var members: [IndexMember] = []
}

/// An OCI layout in a tar, with docker's `manifest.json` beside it unless only OCI is wanted.
private struct LayoutArchive {
    let engine: ImageEngine
    let images: [SavedImage]
    let format: ArchiveFormat

    func write(to writer: TarWriter) throws(ShaleError) {
        try writer.add(ArchiveMember.directory("blobs"))
        try writer.add(ArchiveMember.directory("blobs/sha256"))
        for digest in blobs {
            try writer.add(
                ArchiveMember.file("blobs/sha256/\(digest.hex)", size: try engine.store.blobs.size(digest)),
                from: try engine.store.blobs.open(digest))
        }
        try add("index.json", index, to: writer)
        if format == .both { try add("manifest.json", dockerManifest, to: writer) }
        try add("oci-layout", .members(["imageLayoutVersion": "1.0.0"]), to: writer)
        if format == .both, images.contains(where: { !$0.tags.isEmpty }) {
            try add("repositories", DockerArchive.repositories(images) { Self.topBlob($0) }, to: writer)
        }
    }

    private func add(_ path: String, _ document: JSONDocument, to writer: TarWriter) throws(ShaleError) {
        try writer.add(ArchiveMember.file(path, size: 0), contents: Array(document.text().utf8))
    }

    private var blobs: [Digest] {
        var all: Set<Digest> = []
        for saved in images {
            all.insert(saved.image.manifestDescriptor.digest)
            for manifest in [saved.image.manifest] + saved.members.compactMap(\.manifest) {
                all.insert(manifest.config.digest)
                all.formUnion(manifest.layers.filter { !isElsewhere($0) }.map(\.digest))
            }
            all.formUnion(saved.indexes.map(\.digest) + saved.members.map(\.descriptor.digest))
        }
        return all.sorted()
    }

    /// Whether a layer is one that is fetched from an address of its own.
    private func isElsewhere(_ layer: Descriptor) -> Bool {
        MediaType.isForeignLayer(layer.mediaType) && !engine.store.blobs.contains(layer.digest)
    }

    private static func topBlob(_ image: Image) -> String {
        (image.manifest.layers.last ?? image.manifest.config).digest.hex
    }

    private var index: JSONDocument {
        let entries = images.flatMap { saved in
            let descriptor = saved.indexes.first ?? saved.image.manifestDescriptor
            let base: [JSONDocument.Member] = [
                .init("mediaType", .string(descriptor.mediaType)),
                .init("digest", .string(descriptor.digest.description)),
                .init("size", .integer(descriptor.size)),
            ]
            guard !saved.tags.isEmpty else { return [JSONDocument.object(base)] }
            return saved.tags.map { tag in
                let names = JSONDocument.members([
                    "io.containerd.image.name": .string(tag.description),
                    "org.opencontainers.image.ref.name": .string(tag.tag ?? Reference.defaultTag),
                ])
                return JSONDocument.object(base + [.init("annotations", names)])
            }
        }
        return .members([
            "schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(entries),
        ])
    }

    private var dockerManifest: JSONDocument {
        .array(
            images.map { saved in
                DockerArchive.entry(
                    config: "blobs/sha256/\(saved.image.manifest.config.digest.hex)", saved,
                    layers: saved.image.manifest.layers.map { "blobs/sha256/\($0.digest.hex)" })
            })
    }
}

/// Docker's archive as versions before 25 wrote it.
private struct LegacyArchive {
    let engine: ImageEngine
    let images: [SavedImage]
    let operation: OperationContext

    func write(to writer: TarWriter) throws(ShaleError) {
        var written: Set<String> = []
        for saved in images {
            let image = saved.image
            let config = image.manifest.config.digest
            if written.insert(config.hex).inserted {
                try writer.add(
                    ArchiveMember.file("\(config.hex).json", size: try engine.store.blobs.size(config)),
                    from: try engine.store.blobs.open(config))
            }
            for (blob, diffID) in zip(image.manifest.layers, image.config.rootfs.diffIDs)
            where written.insert(diffID.hex).inserted {
                try writer.add(ArchiveMember.directory(diffID.hex))
                try writer.add(ArchiveMember.file("\(diffID.hex)/VERSION", size: 0), contents: Array("1.0".utf8))
                try writePlain(blob, diffID, to: writer)
            }
        }
        let manifest = JSONDocument.array(
            images.map { saved in
                DockerArchive.entry(
                    config: "\(saved.image.manifest.config.digest.hex).json", saved,
                    layers: saved.image.config.rootfs.diffIDs.map { "\($0.hex)/layer.tar" })
            })
        try writer.add(ArchiveMember.file("manifest.json", size: 0), contents: Array(manifest.text().utf8))
        if images.contains(where: { !$0.tags.isEmpty }) {
            let repositories = DockerArchive.repositories(images) { ($0.config.rootfs.diffIDs.last ?? $0.id).hex }
            try writer.add(ArchiveMember.file("repositories", size: 0), contents: Array(repositories.text().utf8))
        }
    }

    /// A packed layer is unpacked into a file of the store's ingest folder first: a tar names sizes before contents.
    private func writePlain(_ blob: Descriptor, _ diffID: Digest, to writer: TarWriter) throws(ShaleError) {
        let path = "\(diffID.hex)/layer.tar"
        if blob.digest == diffID {
            return try { () throws(ShaleError) in
                _ = try writer.add(
                    ArchiveMember.file(path, size: try engine.store.blobs.size(diffID)),
                    from: try engine.store.blobs.open(diffID))
            }()
        }
        let plain = try engine.store.blobs.newIngest()
        defer { plain.abandon(keepingPartial: false) }
        let stream = try UnpackedStream(
            FDSource(engine.store.blobs.open(blob.digest), subject: "layer \(blob.digest)"),
            subject: "layer \(blob.digest)", hashing: false, cancellation: operation.cancellation)
        defer { stream.close() }
        while let chunk = try stream.nextChunk() { try plain.append(chunk) }
        _ = try writer.add(ArchiveMember.file(path, size: plain.count), from: try plain.openForReading())
    }
}

/// The members of an archive of images: root's, of one fixed time, so that the same images make the same archive.
enum ArchiveMember {
    static func directory(_ path: String) -> TarEntry {
        var entry = TarEntry(path: Array(path.utf8), kind: .directory)
        entry.mode = 0o755
        return entry
    }

    static func file(_ path: String, size: Int64) -> TarEntry {
        var entry = TarEntry(path: Array(path.utf8), kind: .file)
        entry.size = size
        return entry
    }
}

/// Docker's own documents of an archive.
private enum DockerArchive {
    /// One entry of `manifest.json`.
    static func entry(config: String, _ saved: SavedImage, layers: [String]) -> JSONDocument {
        .members([
            "Config": .string(config),
            "RepoTags": saved.tags.isEmpty ? .null : .texts(saved.tags.map(\.familiar)),
            "Layers": .texts(layers),
        ])
    }

    /// `repositories`: name → tag → top layer.
    static func repositories(_ images: [SavedImage], top: (Image) -> String) -> JSONDocument {
        var table: [String: [JSONDocument.Member]] = [:]
        for saved in images {
            for tag in saved.tags {
                table[tag.familiarName, default: []].append(
                    .init(tag.tag ?? Reference.defaultTag, .string(top(saved.image))))
            }
        }
        return .object(table.keys.sorted().map { .init($0, .object(table[$0] ?? [])) })
    }
}
