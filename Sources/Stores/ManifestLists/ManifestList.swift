import Basics
package import FoundationEssentials
package import OCI

/// A manifest list, as docker calls it: an index that is made here before it is pushed.
package struct ManifestList: Sendable, Hashable, Codable {
    /// One image of the list.
    package struct Member: Sendable, Hashable, Codable {
        /// The full reference by which it was added.
        package var reference: Reference
        /// The manifest's descriptor, with the platform for which it is listed.
        package var descriptor: Descriptor
        /// The unchanged bytes of the manifest.
        package var manifest: Data
        /// Whether it is a local image that was in no registry when it was added.
        package var isOfHome: Bool

        package init(reference: Reference, descriptor: Descriptor, manifest: Data, isOfHome: Bool) {
            self.reference = reference
            self.descriptor = descriptor
            self.manifest = manifest
            self.isOfHome = isOfHome
        }
    }

    /// The reference to which it will be pushed.
    package var reference: Reference
    /// Sorted by reference, as docker sorts them.
    package private(set) var members: [Member]

    package init(reference: Reference, members: [Member] = []) {
        self.reference = reference
        self.members = []
        for member in members { put(member) }
    }

    /// Adds a member, or replaces the one with the same reference.
    package mutating func put(_ member: Member) {
        members.removeAll { $0.reference == member.reference }
        members.append(member)
        members.sort { $0.reference.description < $1.reference.description }
    }

    package func member(named reference: Reference) -> Member? { members.first { $0.reference == reference } }

    /// Docker's manifest list when all members are docker's, else the OCI index (image-spec v1.1, image-index.md).
    package var mediaType: String {
        members.allSatisfy { $0.descriptor.mediaType == MediaType.dockerManifest }
            ? MediaType.dockerManifestList : MediaType.ociIndex
    }

    /// The document as it is pushed.
    ///
    /// It has docker's order of members and an indentation of three spaces, so that docker and shale make the same
    /// digest.
    package var text: String {
        let manifests = members.map { member in
            var entry: [JSONDocument.Member] = [
                .init("mediaType", .string(member.descriptor.mediaType)),
                .init("size", .integer(member.descriptor.size)),
                .init("digest", .string(member.descriptor.digest.description)),
            ]
            if let platform = member.descriptor.platform { entry.append(.init("platform", platform.document)) }
            return JSONDocument.object(entry)
        }
        return JSONDocument.object([
            .init("schemaVersion", .integer(2)), .init("mediaType", .string(mediaType)),
            .init("manifests", .array(manifests)),
        ]).text(indent: 3)
    }
}
