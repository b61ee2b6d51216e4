package import Basics
import Glibc
import Linux
package import OCI

/// An artifact of an OCI layout in a folder of the host's, by its manifest.
package struct FolderArtifact: Sendable {
    package let manifest: Manifest
    private let files: FolderFiles

    /// Looks up the artifact of a tag.
    ///
    /// Of several entries of that tag, one that says that it is of the type goes first. Throws `notFound` where there is
    /// no layout or none of the tag, `unsupported` for one of another type, and `invalid` or `corrupt` for documents that
    /// are none or not what their digests say.
    package init(folder: String, tag: String, type: String) throws(ShaleError) {
        do throws(SystemCallError) {
            _ = try RootDirectory(hostPath: folder)
        } catch {
            if error.errno == ENOENT { throw ShaleError(.notFound, "\(folder.visible): there is none yet") }
            throw error.shaleError(folder.visible)
        }
        files = FolderFiles(path: folder)
        guard let bytes = try files.file("index.json")?.bytes() else {
            throw ShaleError(.notFound, "\(folder.visible): there is none yet")
        }
        let index = try OCIDocument.read(Index.self, from: bytes, naming: "\(folder.visible)/index.json")
        let entries = LayoutChoice.tag(tag).entries(of: index)
        guard let entry = entries.first(where: { $0.artifactType == type }) ?? entries.first else {
            throw ShaleError(.notFound, "\(folder.visible): there is none of the tag \(tag.visible)")
        }
        guard MediaType.isManifest(entry.mediaType) else { throw Self.isOther(folder, type) }
        manifest = try OCIDocument.read(
            Manifest.self, from: files.document(entry), naming: "\(folder.visible): manifest \(entry.digest)")
        guard manifest.kindOfArtifact == type else { throw Self.isOther(folder, type) }
    }

    private static func isOther(_ folder: String, _ type: String) -> ShaleError {
        ShaleError(.unsupported, "\(folder.visible): what the tag leads to is not \(ArtifactWords(type: type).name)")
    }

    /// A small blob whole.
    ///
    /// Throws `invalid` for one of more than `limit` bytes, `corrupt` for other bytes, and what reading it throws.
    package func bytes(_ blob: Descriptor, limit: Int) throws(ShaleError) -> [UInt8] {
        try files.document(blob, limit: limit)
    }

    /// Hands out a blob's bytes, each once and in order; their digest is checked at the end.
    ///
    /// Throws `corrupt` for other bytes, `cancelled`, and what reading and `body` throw.
    package func stream(
        _ blob: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try BlobCopy.run(
            blob, from: files.part(of: blob), report: TransferReport(cancellation: cancellation), to: body)
    }
}
