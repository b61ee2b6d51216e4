import Basics
import Layers
import OCI
import Stores

/// An index of several platforms in an archive, with what of it the archive holds.
struct ArchivedIndex {
    var document: TransferDocument
    /// Indexes that it lists.
    var nested: [TransferDocument] = []
    /// Images that can be unpacked here.
    var images: [ArchivedImage] = []
    /// Attestations and the like, and images of other operating systems: kept as they are.
    var others: [(manifest: TransferDocument, blobs: [StagedBlob])] = []
    var references: [Reference]

    /// The manifests that it brings.
    var brought: [Descriptor] {
        images.map { TransferDocument($0.manifestBytes, mediaType: $0.mediaType).descriptor }
            + others.map(\.manifest.descriptor)
    }
}

extension ArchiveReading {
    /// The indexes that an archive's names stand for, which list at least two images; none where one platform or one
    /// image is wanted.
    ///
    /// What they list and the archive does not hold is left out. Throws `corrupt` for a document or a blob that is not
    /// what its descriptor says, `invalid` for indexes within indexes.
    func indexes() throws(ShaleError) -> [ArchivedIndex] {
        guard choice == nil, !isPlatformAsked, let bytes = try archive.document("index.json") else { return [] }
        let layout = try OCIDocument.read(Index.self, from: bytes, naming: "\(subject): index.json")
        var found: [ArchivedIndex] = []
        for entry in layout.manifests where MediaType.isIndex(entry.mediaType) {
            try cancellation.check()
            let references = Self.references(of: entry)
            if let place = found.firstIndex(where: { $0.document.descriptor.digest == entry.digest }) {
                found[place].references += references.filter { !found[place].references.contains($0) }
                continue
            }
            let document = TransferDocument(try document(entry), mediaType: entry.mediaType)
            var index = ArchivedIndex(document: document, references: references)
            var listed = 0
            var seen: Set<Digest> = []
            try collect(document, depth: 0, &seen, into: &index, listing: &listed)
            // One image with what is said of it is an image.
            if listed > 1, !index.images.isEmpty { found.append(index) }
        }
        return found
    }

    private func collect(
        _ document: TransferDocument, depth: Int, _ seen: inout Set<Digest>, into result: inout ArchivedIndex,
        listing listed: inout Int
    ) throws(ShaleError) {
        let what = "\(subject): index \(document.descriptor.digest)"
        let refusal = ShaleError(.invalid, "\(what): indexes within indexes, or too many manifests")
        guard depth < ImageStore.nesting.depth else { throw refusal }
        let index = try OCIDocument.read(Index.self, from: document.bytes, naming: what)
        try index.validate(naming: what)
        for entry in index.manifests where seen.insert(entry.digest).inserted {
            try cancellation.check()
            guard seen.count <= CollectedImages.most.documents else { throw refusal }
            if entry.memberKind == .image { listed += 1 }
            guard try archive.document(Self.path(entry.digest)) != nil else { continue }
            let member = TransferDocument(try self.document(entry), mediaType: entry.mediaType)
            if MediaType.isIndex(entry.mediaType) {
                result.nested.append(member)
                try collect(member, depth: depth + 1, &seen, into: &result, listing: &listed)
            } else {
                try add(member, entry, to: &result)
            }
        }
    }

    private func add(
        _ member: TransferDocument, _ entry: Descriptor, to result: inout ArchivedIndex
    ) throws(ShaleError) {
        let manifest = try OCIDocument.read(
            Manifest.self, from: member.bytes, naming: "\(subject): manifest \(entry.digest)")
        var config: ImageConfig?
        if entry.memberKind == .image, try isImage(entry, member.bytes) {
            let bytes = try document(manifest.config)
            config = try OCIDocument.read(
                ImageConfig.self, from: bytes, naming: "\(subject): config \(manifest.config.digest)")
        }
        if let config, config.os.isEmpty || config.os == "linux" {
            result.images.append(try image(entry, member.bytes, []))
            return
        }
        var blobs: [StagedBlob] = []
        for part in [manifest.config] + manifest.layers {
            let blob = try blob(Self.path(part.digest))
            guard blob.digest == part.digest, blob.size == part.size else {
                throw ShaleError(.corrupt, "\(subject): blob \(part.digest): its bytes do not match its digest")
            }
            blobs.append(blob)
        }
        result.others.append((member, blobs))
    }
}

extension ImageEngine {
    /// Puts an archive's index in, its members first; its layers are unpacked already.
    func enter(_ index: ArchivedIndex) throws(ShaleError) -> LoadedImage {
        for image in index.images {
            for blob in image.blobs { try blob.commit() }
            _ = try store.blobs.put(image.configBytes)
            _ = try store.blobs.put(image.manifestBytes)
        }
        for other in index.others {
            for blob in other.blobs { try blob.commit() }
            _ = try store.blobs.put(other.manifest.bytes)
        }
        for document in index.nested { _ = try store.blobs.put(document.bytes) }
        let image = try store.images.add(
            index: index.document.bytes, mediaType: index.document.descriptor.mediaType, brought: index.brought,
            references: index.references)
        return LoadedImage(image: image, references: index.references)
    }
}
