import Basics
import OCI

/// All documents and blobs of an image, or of an index with several images.
struct CollectedImages {
    let source: any CopySource
    let cancellation: Cancellation
    private(set) var items: [TransferItem] = []
    /// Manifests and indexes.
    ///
    /// Each comes after those that it names.
    private(set) var documents: [TransferDocument] = []
    private var seen: Set<Digest> = []
    /// The size of all documents, in bytes.
    private var size: Int64 = 0

    /// The limits.
    ///
    /// An index of a thousand platforms is far below them.
    static let most = (documents: 2000, bytes: 64 << 20 as Int64)

    init(source: any CopySource, cancellation: Cancellation) {
        self.source = source
        self.cancellation = cancellation
    }

    mutating func add(_ document: TransferDocument, depth: Int) throws(ShaleError) {
        guard seen.insert(document.descriptor.digest).inserted else { return }
        try cancellation.check()
        size = size.addingClamped(Int64(document.bytes.count))
        guard seen.count <= Self.most.documents, size <= Self.most.bytes else {
            throw ShaleError(
                .invalid,
                "index \(document.descriptor.digest): more manifests than \(Self.most.documents), or larger ones")
        }
        guard MediaType.isIndex(document.descriptor.mediaType) else { return try addManifest(document) }
        guard depth < 4 else {
            throw ShaleError(.invalid, "index \(document.descriptor.digest): indexes within indexes")
        }
        let index = try OCIDocument.read(
            Index.self, from: document.bytes, naming: "index \(document.descriptor.digest)")
        for entry in index.manifests {
            let bytes = try source.document(entry, cancellation: cancellation)
            try add(TransferDocument(bytes, mediaType: entry.mediaType), depth: depth + 1)
        }
        documents.append(document)
    }

    private mutating func addManifest(_ document: TransferDocument) throws(ShaleError) {
        let label = "manifest \(document.descriptor.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: document.bytes, naming: label)
        for blob in manifest.layers + [manifest.config] {
            items.append(
                TransferItem(
                    id: blob.digest.short, blob: blob,
                    isForeign: MediaType.isForeignLayer(blob.mediaType) && !(blob.urls ?? []).isEmpty))
        }
        documents.append(document)
    }
}

/// Manifests and indexes for a transfer.
///
/// They are unchanged, except where they name a layer that was compressed for the transfer.
struct TravelledDocuments {
    /// The descriptor of each blob at the target.
    private let sent: [Digest: Descriptor]
    /// The descriptors of documents that were changed for the target.
    private var documents: [Digest: Descriptor] = [:]
    private var isPacked: Bool

    init(_ sent: [Digest: Descriptor]) {
        self.sent = sent
        isPacked = sent.contains { $0.key != $0.value.digest }
    }

    /// A document for the target.
    ///
    /// The documents that it names must have been passed before.
    ///
    /// Throws `corrupt` for one that cannot be read.
    mutating func renamed(_ document: TransferDocument) throws(ShaleError) -> TransferDocument {
        guard isPacked else { return document }
        let isIndex = MediaType.isIndex(document.descriptor.mediaType)
        let text = try isIndex ? index(document) : manifest(document)
        guard let text else { return document }
        let renamed = TransferDocument(Array(text.utf8), mediaType: document.descriptor.mediaType)
        documents[document.descriptor.digest] = renamed.descriptor
        return renamed
    }

    private func manifest(_ document: TransferDocument) throws(ShaleError) -> String? {
        var manifest = try OCIDocument.read(
            Manifest.self, from: document.bytes, naming: "manifest \(document.descriptor.digest)")
        var isOther = false
        manifest.layers = manifest.layers.map { layer in
            guard let packed = sent[layer.digest], packed.digest != layer.digest else { return layer }
            isOther = true
            return packed
        }
        return isOther ? manifest.document.text() : nil
    }

    private func index(_ document: TransferDocument) throws(ShaleError) -> String? {
        var index = try OCIDocument.read(
            Index.self, from: document.bytes, naming: "index \(document.descriptor.digest)")
        var isOther = false
        index.manifests = index.manifests.map { entry in
            guard let renamed = documents[entry.digest] else { return entry }
            isOther = true
            var entry = entry
            entry.digest = renamed.digest
            entry.size = renamed.size
            return entry
        }
        return isOther ? index.document.text() : nil
    }
}
