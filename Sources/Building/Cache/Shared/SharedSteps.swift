import Basics
import FoundationEssentials
import Images
import OCI

/// The steps of a shared cache: what its one document of ours says.
///
/// The artifact is an OCI manifest of this `artifactType`; its config is this document, its layers are those that the
/// steps made. A step is found by the same key as in the cache of a home: the image below, the instruction, and the
/// content of the files it reads; nothing in a key belongs to one machine. What a step does to the config is not in
/// it: whoever takes a step over makes the config anew, and compares.
struct SharedSteps: Codable, Sendable {
    static let artifactType = "application/vnd.shale.cache.v1"
    static let mediaType = "application/vnd.shale.cache.steps.v1+json"
    /// The most bytes of the document that are read.
    static let largest = 32 << 20
    static let currentVersion = 1

    var version = SharedSteps.currentVersion
    var steps: [Step]

    struct Step: Codable, Sendable {
        var key: Digest
        /// The key of a linked copy, which is the same on every base.
        var linkKey: Digest?
        /// The image that it led to.
        var image: Digest
        /// When it was carried out: part of the image's config.
        var created: Timestamp
        /// `nil` for a step that changed no file.
        var layer: Layer?
        var summary: StepSummary
    }

    struct Layer: Codable, Sendable, Hashable {
        var diffID: Digest
        /// The blob as images name it.
        var blob: Descriptor

        /// Whether the blob is the tar itself, which its diff ID proves.
        var isPlain: Bool { blob.digest == diffID && blob.mediaType == MediaType.ociLayer }
    }

    init(steps: [Step]) { self.steps = steps }

    /// Reads the document; numbers from outside are brought into bounds.
    ///
    /// Throws `corrupt` for what is none, and `unsupported` for one of a later version.
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

    /// The document's bytes.
    ///
    /// Throws `invalid` for more than anyone reads.
    func document() throws(ShaleError) -> [UInt8] {
        let bytes = Array(try OCIDocument.encode(self))
        guard bytes.count <= Self.largest else {
            throw ShaleError(.invalid, "its list of steps has more than \(Self.largest) bytes")
        }
        return bytes
    }

    /// The manifest of the artifact, around a document of these bytes.
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
    /// The same with counts that can be added up, and a few paths.
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
