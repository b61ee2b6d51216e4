import Basics
import FoundationEssentials
import Images
import OCI

/// The JSON document that lists the steps of a shared cache.
///
/// A shared cache is an OCI manifest with this `artifactType`. Its config is this document, its layers are the layers
/// that the steps made. A step has the same key as in the local cache: the parent image, the instruction, and the
/// content
/// of the files it reads. No key contains facts of one machine. The document does not say how a step changes the
/// image's
/// config: the reader computes the config and compares its digest with `image`.
struct SharedSteps: Codable, Sendable {
    static let artifactType = "application/vnd.shale.cache.v1"
    static let mediaType = "application/vnd.shale.cache.steps.v1+json"
    /// The largest document that is read, in bytes.
    static let largest = 32 << 20
    static let currentVersion = 1

    var version = SharedSteps.currentVersion
    var steps: [Step]

    struct Step: Codable, Sendable {
        var key: Digest
        /// The key of a linked copy, which is the same on every parent.
        var linkKey: Digest?
        /// The image that the step made.
        var image: Digest
        /// When the step was carried out.
        ///
        /// This time is part of the image's config.
        var created: Timestamp
        /// `nil` for a step that changed no file.
        var layer: Layer?
        var summary: StepSummary
    }

    struct Layer: Codable, Sendable, Hashable {
        var diffID: Digest
        /// The layer's descriptor as in an image manifest.
        var blob: Descriptor

        /// Whether the blob is the uncompressed tar.
        ///
        /// Then its digest is the diff ID.
        var isPlain: Bool { blob.digest == diffID && blob.mediaType == MediaType.ociLayer }
    }

    init(steps: [Step]) { self.steps = steps }

    /// Reads the document.
    ///
    /// Counts from outside are limited to sane values.
    ///
    /// Throws `corrupt` when it cannot be decoded, and `unsupported` for another version.
    init(parsing bytes: [UInt8]) throws(ShaleError) {
        let document: SharedSteps
        do {
            document = try JSONDecoder().decode(SharedSteps.self, from: Data(bytes))
        } catch {
            throw ShaleError(.corrupt, "its list of steps cannot be read")
        }
        guard document.version == Self.currentVersion else {
            throw ShaleError(.unsupported, "its list of steps is of version \(document.version)")
        }
        self = document
        for place in steps.indices { steps[place].summary = steps[place].summary.bounded }
    }

    /// Encodes the document.
    ///
    /// Throws `invalid` when it is larger than `largest`.
    func document() throws(ShaleError) -> [UInt8] {
        let bytes = Array(try OCIDocument.encode(self))
        guard bytes.count <= Self.largest else {
            throw ShaleError(.invalid, "its list of steps has more than \(Self.largest) bytes")
        }
        return bytes
    }

    /// The manifest of the artifact whose config is this document.
    func manifest(around document: [UInt8]) -> Manifest {
        var seen: Set<Digest> = []
        let layers = steps.compactMap { $0.layer?.blob }.filter { seen.insert($0.digest).inserted }
        var manifest = Manifest(
            config: Descriptor(
                mediaType: Self.mediaType, digest: Digest.of(document), size: Int64(document.count)), layers: layers)
        manifest.artifactType = Self.artifactType
        return manifest
    }
}

extension StepSummary {
    /// The summary with counts that can be added without overflow, and at most five paths.
    fileprivate var bounded: StepSummary {
        var copy = self
        copy.added = min(max(added, 0), 1 << 30)
        copy.changed = min(max(changed, 0), 1 << 30)
        copy.deleted = min(max(deleted, 0), 1 << 30)
        copy.bytes = min(max(bytes, 0), 1 << 60)
        copy.firstPaths = Array(firstPaths.prefix(5))
        return copy
    }
}
