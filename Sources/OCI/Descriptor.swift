/// A pointer to content: what it is, its digest, its size in bytes (image-spec v1.1, descriptor.md).
package struct Descriptor: Sendable, Hashable, Codable {
    package var mediaType: String
    package var digest: Digest
    package var size: Int64
    package var urls: [String]?
    package var annotations: [String: String]?
    package var platform: Platform?
    package var artifactType: String?

    package init(
        mediaType: String, digest: Digest, size: Int64, annotations: [String: String]? = nil,
        platform: Platform? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.annotations = annotations
        self.platform = platform
    }
}

/// The annotation keys the store and its peers read (image-spec v1.1, annotations.md).
package enum Annotation {
    /// The name of an index entry in an OCI layout.
    package static let refName = "org.opencontainers.image.ref.name"
    /// Docker and containerd's full name of an index entry.
    package static let imageName = "io.containerd.image.name"
}
