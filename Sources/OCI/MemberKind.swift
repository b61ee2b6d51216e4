/// What an entry of an index is.
package enum MemberKind: Sendable, Hashable {
    case image
    /// What BuildKit says of how an image was made; of which one, where that is said.
    case attestation(of: Digest?)
    /// An index in the index.
    case index
    case artifact(type: String)
}

extension Descriptor {
    /// What it is as an entry of an index, by its media type and BuildKit's annotations.
    package var memberKind: MemberKind {
        let notes = annotations ?? [:]
        if let type = notes["vnd.docker.reference.type"] {
            let subject = notes["vnd.docker.reference.digest"].flatMap { try? Digest(parsing: $0) }
            return type == "attestation-manifest" ? .attestation(of: subject) : .artifact(type: type)
        }
        if MediaType.isIndex(mediaType) { return .index }
        if let artifactType { return .artifact(type: artifactType) }
        guard MediaType.isManifest(mediaType) else { return .artifact(type: mediaType) }
        // Older builders left the annotation out, not the platform that no processor has.
        return platform?.os == "unknown" ? .attestation(of: nil) : .image
    }
}
