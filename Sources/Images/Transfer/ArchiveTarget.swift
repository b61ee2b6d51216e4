import Basics
import Layers
import Linux
import OCI
import Stores

/// A tar of an OCI layout as the target of a copy, optionally with docker's `manifest.json` for the same blobs.
///
/// It is written sequentially, one blob after the other, and gets its name when it is complete.
final class ArchiveTarget: TransferTarget, @unchecked Sendable {
    // Unchecked: `width` is one, so only one thread at a time uses it.
    private let path: String
    private let tag: String?
    /// The name in docker's `manifest.json`; `nil` for no such document.
    private let name: Reference?
    private let isDockers: Bool
    private let file: UnnamedFile
    private let writer: TarWriter
    private var written: Set<Digest> = []
    private var root: TransferDocument?

    var width: Int { 1 }
    var repository: Reference? { nil }

    init(path: String, tag: String?, name: Reference?, isDockers: Bool) throws(ShaleError) {
        self.path = path
        self.tag = tag
        self.name = name
        self.isDockers = isDockers
        let file = try translating(path) { try UnnamedFile(for: path, mode: 0o644, followingLink: true) }
        self.file = file
        writer = TarWriter { bytes throws(ShaleError) in
            do throws(SystemCallError) { try file.descriptor.write(bytes) } catch { throw error.shaleError(path) }
        }
        try writer.add(ArchiveMember.directory("blobs"))
        try writer.add(ArchiveMember.directory("blobs/sha256"))
    }

    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        guard blob.digest.algorithm == "sha256" else {
            throw ShaleError(.unsupported, "blob \(blob.digest): only sha256 digests can be checked")
        }
        guard written.insert(blob.digest).inserted else { return .present }
        let bytes = try source.open(blob, cancellation: report.cancellation)
        var offset: Int64 = 0
        let hash = try writer.add(Self.member(blob), hashing: true) { buffer throws(ShaleError) in
            try report.cancellation.check()
            let count = try bytes.read(at: offset, into: buffer)
            guard count > 0 else {
                throw ShaleError(.corrupt, "blob \(blob.digest): \(offset) bytes instead of the \(blob.size) announced")
            }
            offset += Int64(count)
            report.moved(offset)
            return count
        }
        guard let actual = hash?.digest, actual == blob.digest else {
            throw ShaleError(
                .corrupt, "blob \(blob.digest): what came has the digest \(hash?.digest.description ?? "of nothing")")
        }
        return .sent
    }

    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        if written.insert(document.descriptor.digest).inserted {
            try writer.add(Self.member(document.descriptor), contents: document.bytes)
        }
        if isNamed { root = document }
    }

    func finish() throws(ShaleError) {
        guard let root else { return }
        try add("index.json", index(of: root.descriptor))
        if isDockers { try add("manifest.json", try dockerManifest(of: root)) }
        try add("oci-layout", .members(["imageLayoutVersion": "1.0.0"]))
        _ = try writer.finish()
        try translating(path) { try file.put() }
    }

    private func add(_ name: String, _ document: JSONDocument) throws(ShaleError) {
        try writer.add(ArchiveMember.file(name, size: 0), contents: Array(document.text().utf8))
    }

    private func index(of descriptor: Descriptor) -> JSONDocument {
        var entry = descriptor
        var notes: [String: String] = [:]
        notes[Annotation.refName] = tag ?? name?.tag
        notes[Annotation.imageName] = name?.description
        entry.annotations = notes.isEmpty ? nil : notes
        return Index(manifests: [entry]).document
    }

    private func dockerManifest(of root: TransferDocument) throws(ShaleError) -> JSONDocument {
        let manifest = try OCIDocument.read(
            Manifest.self, from: root.bytes, naming: "manifest \(root.descriptor.digest)")
        return .array([
            .members([
                "Config": .string("blobs/sha256/\(manifest.config.digest.hex)"),
                "RepoTags": name.map { .texts([$0.familiar]) } ?? .null,
                "Layers": .texts(manifest.layers.map { "blobs/sha256/\($0.digest.hex)" }),
            ])
        ])
    }

    private static func member(_ blob: Descriptor) -> TarEntry {
        ArchiveMember.file("blobs/sha256/\(blob.digest.hex)", size: blob.size)
    }
}
