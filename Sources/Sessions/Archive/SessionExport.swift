package import Basics
import FoundationEssentials
import Images
package import Layers
import Linux
package import OCI
import Recipes
import Stores

/// Writes a session into one file, with all images of its states.
package struct SessionExport {
    private let session: Session
    private let engine: Engine
    private let sessions: SessionStore
    /// Images that listings show, with a name when the session moved that name.
    private var listed: [ImageEntry] = []
    private var retained: [ImageEntry] = []
    /// Names of removed containers.
    ///
    /// They are not exported.
    package private(set) var containersLeft: [String] = []
    /// Blobs that recipes need and that are in no image.
    private var files: Set<Digest> = []
    package var imageCount: Int { Set((listed + retained).compactMap(\.image)).count }
    package var stateCount: Int { session.tree.nodes.count }
    package var lineCount: Int { session.lineCount }
    package var lastUsed: Timestamp? { session.lastUsed }

    /// The blobs that an archive contains.
    package enum Contents: Sendable {
        /// All blobs: the archive is complete by itself.
        case everything
        /// Only the manifests: the other blobs are stored beside the archive.
        case documents
    }

    /// Collects what the session's journal names.
    ///
    /// Throws what reading the journal and the store throws.
    package init(_ session: Session) throws(ShaleError) {
        self.session = session
        engine = session.engine
        sessions = session.sessions
        try session.refresh()
        try gather()
    }

    /// Writes the archive to `sink`.
    ///
    /// Throws `cancelled`, what `sink` throws, and the store's error when a blob or a record cannot be read.
    package func write(
        _ contents: Contents = .everything, to sink: @escaping ByteSink, _ operation: OperationContext
    ) throws(ShaleError) {
        let blobs = contents == .everything ? try blobs() : try manifests().map(\.digest)
        // Held, so that the blobs are not pruned while they are written.
        try sessions.blobs.hold(blobs)
        defer { sessions.blobs.release(blobs) }
        let writer = TarWriter { bytes throws(ShaleError) in
            try operation.cancellation.check()
            try sink(bytes)
        }
        func add(_ path: String, _ bytes: [UInt8]) throws(ShaleError) {
            try writer.add(SessionArchive.file(path), contents: bytes)
        }
        try add(
            SessionArchive.header, Array(OCIDocument.encode(SessionArchive.Header(name: session.name))))
        try add(SessionArchive.journal, journal())
        if let variables = try session.folder.read(SessionArchive.variables) {
            try add(SessionArchive.variables, variables)
        }
        try add(SessionArchive.listed, Array(ImageTable(entries: listed).index.document.text().utf8))
        try add(SessionArchive.retained, Array(ImageTable(entries: retained).index.document.text().utf8))
        for image in Set((listed + retained).compactMap(\.image)).sorted() {
            guard let provenance = try engine.images.provenance(of: image) else { continue }
            try add(SessionArchive.provenance + image.hex, Array(OCIDocument.encode(provenance)))
        }
        var total: Int64 = 0
        for digest in blobs { total &+= try sessions.blobs.size(digest) }
        var written: Int64 = 0
        for digest in blobs {
            let size = try sessions.blobs.size(digest)
            if contents == .everything {
                operation.tell(.bytes(id: session.name, state: "Exporting", current: written, total: total))
            }
            written &+= size
            try writer.add(
                SessionArchive.file(SessionArchive.blobs + digest.hex, size: size),
                from: try sessions.blobs.open(digest))
        }
        try add(SessionArchive.end, [])
        _ = try writer.finish()
    }

    /// The complete lines of the journal.
    private func journal() throws(ShaleError) -> [UInt8] {
        let bytes = try session.folder.read(SessionArchive.journal, limit: SessionArchive.largestJournal) ?? []
        return Array(bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)])
    }

    // MARK: Which images

    private mutating func gather() throws(ShaleError) {
        let (table, retainedTable) = try sessions.tables()
        let roots = try session.folder.roots()
        for case .removed(let id, let name) in session.tree.newest(nil).flatMap(\.changes)
        where roots.containers.contains(id) && !containersLeft.contains(name) {
            containersLeft.append(name)
        }
        containersLeft.sort()
        var wanted = Array(roots.digests)
        var images: Set<Digest> = []
        // Recipes are written from parents as well.
        let known = Dictionary(
            grouping: (table.entries + retainedTable.entries).flatMap { entry in
                Set([entry.image, entry.manifest.digest].compactMap(\.self)).map { ($0, entry) }
            }, by: \.0)
        while let digest = wanted.popLast() {
            for (_, entry) in known[digest] ?? [] {
                guard let image = entry.image, images.insert(image).inserted else { continue }
                let made = try engine.images.provenance(of: image)
                // Also the stages it copied from, and files that are in no layer.
                wanted += [entry.parent, made?.parent, made?.from].compactMap(\.self)
                files.formUnion(made?.keptFiles.filter(sessions.blobs.contains) ?? [])
            }
        }
        var moved: Set<Reference> = []
        for value in session.nameValues() { moved.insert(value.reference) }
        let listings = Dictionary(grouping: table.entries, by: \.image)
        let retainedEntries = Dictionary(grouping: retainedTable.entries, by: \.image)
        for image in images.sorted() {
            let entries = listings[image] ?? []
            guard let first = entries.first else {
                retained += retainedEntries[image] ?? []
                continue
            }
            let named = entries.filter { entry in entry.name.map { moved.contains($0) } ?? false }
            listed += named.isEmpty ? [first.named(nil)] : named.sorted { ($0.refName ?? "") < ($1.refName ?? "") }
        }
    }

    private func blobs() throws(ShaleError) -> [Digest] {
        Set(try parts().map(\.digest) + manifests().map(\.digest)).sorted()
    }

    /// The manifests of all its images and the indexes, each once.
    ///
    /// Of an index only the manifests in the store are included.
    private func manifests() throws(ShaleError) -> [Descriptor] {
        var documents: [Descriptor] = []
        for entry in listed + retained { documents += try engine.images.documents(of: entry.manifest) }
        return Self.unique(documents)
    }

    /// The manifests of the listed images, each once, for pulls by digest.
    ///
    /// The manifests of an index come before the index. An index is included only when all its manifests are in the
    /// store.
    /// Throws what reading an index throws.
    package func listedManifests() throws(ShaleError) -> [Descriptor] {
        var found: [Descriptor] = []
        var seen: Set<Digest> = []
        for entry in listed.sorted(by: { $0.manifest.digest < $1.manifest.digest }) {
            var isWhole = true
            if entry.isIndex { isWhole = try engine.images.isWhole(entry.manifest) }
            for document in try engine.images.documents(of: entry.manifest)
            where (isWhole || !MediaType.isIndex(document.mediaType)) && seen.insert(document.digest).inserted {
                found.append(document)
            }
        }
        return found
    }

    /// The blobs of its images and recipes except the manifests; each once, sorted by digest.
    ///
    /// Throws what reading a manifest throws.
    package func parts() throws(ShaleError) -> [Descriptor] {
        var parts: [Descriptor] = []
        for manifest in try manifests() where !MediaType.isIndex(manifest.mediaType) {
            let document = try OCIDocument.read(
                Manifest.self, from: try sessions.blobs.bytes(manifest.digest), naming: "manifest \(manifest.digest)")
            parts += [document.config] + document.layers
        }
        for file in files {
            parts.append(
                Descriptor(mediaType: SessionArtifact.fileType, digest: file, size: try sessions.blobs.size(file)))
        }
        // URLs and platforms in a descriptor belong to one image, so they are left out.
        return Self.unique(parts).map { Descriptor(mediaType: $0.mediaType, digest: $0.digest, size: $0.size) }
    }

    private static func unique(_ descriptors: [Descriptor]) -> [Descriptor] {
        var seen: Set<Digest> = []
        return descriptors.sorted { $0.digest < $1.digest }.filter { seen.insert($0.digest).inserted }
    }
}
