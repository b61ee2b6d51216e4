package import Basics
import Images
import Layers
import Linux
package import OCI
package import Recipes
package import Stores

/// A session in a registry.
///
/// It is an artifact. Its first blob is the archive with the session's documents, the others are the blobs of its
/// images.
/// All are in one repository and listed in the manifest, so a registry's garbage collection keeps them.
package enum SessionArtifact {
    /// The archive of `session export`, which contains only the manifests of the images and no other blobs.
    static let archiveType = "application/vnd.shale.session.v1.tar"
    /// A file that a recipe needs and that is in no image.
    static let fileType = "application/vnd.shale.session.v1.file"

    /// The largest archive that is read, in bytes.
    private static let largestArchive: Int64 = 2 << 30

    /// The result of a pull.
    package struct Pulled: Sendable {
        package var session: SessionImport.Result
        /// The bytes of blobs that were downloaded.
        package var bytes: Int64
    }

    /// The result of a push.
    package struct Pushed: Sendable {
        package var descriptor: Descriptor
        /// The bytes of blobs that were uploaded.
        package var bytes: Int64
    }

    /// Pushes a session to a registry.
    ///
    /// Blobs that the registry has are not uploaded; an unchanged session gives the same artifact.
    ///
    /// The manifests of its listed images are pushed as well, so that they can be pulled by digest. Throws `cancelled`,
    /// and
    /// what reading the session and the requests throw.
    package static func push(
        _ export: SessionExport, of session: Session, to reference: Reference, engine: Engine, version: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> Pushed {
        let images = engine.images
        let parts = try export.parts()
        // Held, because another process may prune them during the upload.
        let listed = try export.listedManifests()
        let held = (parts + listed).map(\.digest)
        try session.sessions.blobs.hold(held)
        defer { session.sessions.blobs.release(held) }
        operation.line("The push refers to repository [\(reference.repository)]")
        let archive = try session.sessions.blobs.newIngest()
        defer { archive.abandon(keepingPartial: false) }
        try export.write(.documents, to: { bytes throws(ShaleError) in try archive.append(bytes) }, operation)
        var first = Descriptor(mediaType: archiveType, digest: archive.digest, size: archive.count)
        let known = images.blobs(of: reference, type: ArtifactType.session, operation)
        var bytes = try images.send(parts, besides: known, to: reference, called: "session", operation)
        if !known.contains(first.digest) {
            bytes += try images.send(try archive.openForReading(), as: first, to: reference, operation)
        }
        // A registry accepts an index only when it has the manifests that the index lists.
        for isIndex in [false, true] {
            let some = listed.filter { MediaType.isIndex($0.mediaType) == isIndex }
            try images.send(manifests: some, to: reference.repository, operation)
        }
        first.annotations = ["org.opencontainers.image.title": "\(session.name).session.tar"]
        let artifact = Artifact(
            type: ArtifactType.session, blobs: [first] + parts,
            annotations: annotations(of: export, session, version: version))
        return Pushed(descriptor: try images.send(artifact, as: reference, operation), bytes: bytes)
    }

    /// The annotations.
    ///
    /// They do not contain the time of the push, so that the same session has the same digest.
    private static func annotations(
        of export: SessionExport, _ session: Session, version: String
    ) -> [String: String] {
        var notes = [
            "org.opencontainers.image.title": session.name, "dev.shale.version": version,
            "dev.shale.session.lines": String(export.lineCount), "dev.shale.session.states": String(export.stateCount),
            "dev.shale.session.images": String(export.imageCount),
        ]
        notes["org.opencontainers.image.created"] = export.lastUsed?.description
        return notes
    }

    /// Pulls a session from a registry, under the name that `naming` returns.
    ///
    /// Only missing blobs are downloaded.
    ///
    /// Its content is untrusted: see ``SessionImport``, which calls `namesWanted`. Host folders that it names are left
    /// out,
    /// because they belong to another machine. Throws `unsupported` for a reference to something else, `conflict` for a
    /// session
    /// name that exists, `corrupt` for an incomplete artifact, and what the registry throws. An interrupted download
    /// continues
    /// at the next pull.
    package static func pull(
        _ reference: Reference, naming: SessionImport.Naming, engine: Engine, into sessions: SessionStore,
        namesWanted: SessionImport.NamesWanted, _ operation: OperationContext
    ) throws(ShaleError) -> Pulled {
        let artifact = try engine.images.artifact(reference, type: ArtifactType.session, operation)
        let subject = artifact.reference.familiar
        let archives = artifact.manifest.layers.filter { $0.mediaType == archiveType }
        guard archives.count == 1, let archive = archives.first, archive.size <= largestArchive else {
            throw ShaleError(.corrupt, "\(subject): not a whole session: its archive is not there once")
        }
        let offered = Dictionary(
            artifact.manifest.layers.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
        var bytes: Int64 = 0
        let label = subject
        let result = try engine.images.withFile(archive, of: artifact, operation) { file throws(ShaleError) in
            try SessionImport(engine, into: sessions, subject: label).run(
                FDSource(file, subject: label), naming: naming,
                beside: { needed throws(ShaleError) in
                    let blobs = try needed.map { digest throws(ShaleError) -> Descriptor in
                        guard let blob = offered[digest] else {
                            throw ShaleError(
                                .corrupt, "\(label): its images need the blob \(digest), which it does not list")
                        }
                        return blob
                    }
                    bytes = try engine.images.bring(blobs, of: artifact, called: "session", operation)
                }, namesWanted: namesWanted, operation)
        }
        return Pulled(session: result, bytes: bytes)
    }
}
