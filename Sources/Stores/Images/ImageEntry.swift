package import Basics
package import OCI

/// One entry of `index.json`: a manifest or an index with at most one name, and what the store notes about its image.
///
/// Of an index the noted image is the one that a use without a platform takes; see ``ImageStore/choose(from:for:)``.
///
/// The notes are annotations of the descriptor, so that a listing reads one file. An entry that another tool wrote
/// lacks them; the image store then reads manifest and config instead.
package struct ImageEntry: Sendable, Hashable, Codable {
    /// The descriptor without the store's own annotations.
    package var manifest: Descriptor
    /// `org.opencontainers.image.ref.name` as it is written; skopeo and umoci look an image up by exactly this.
    package var refName: String?
    /// The digest of the config: docker's image id.
    package var image: Digest?
    /// What registries called it: `docker.io/library/busybox@sha256:…`.
    package var repoDigests: [Reference]
    /// Whether registries have it with layers that were packed when it was pushed: its manifest here is not theirs.
    package var isPackedAtPush = false
    /// The image it was built on here.
    package var parent: Digest?
    /// Images with entries of their own that this one, an index made here, was put together from.
    package var members: [Digest]?
    package var created: Timestamp?
    /// Sum of the layers' uncompressed sizes, in bytes.
    package var size: Int64?

    package init(
        manifest: Descriptor, name: Reference? = nil, image: Digest?, repoDigests: [Reference] = [],
        parent: Digest? = nil, created: Timestamp? = nil, size: Int64? = nil
    ) {
        self.manifest = manifest
        refName = name?.description
        self.image = image
        self.repoDigests = repoDigests
        self.parent = parent
        self.created = created
        self.size = size
    }

    /// The name in its full form, `:latest` filled in; `nil` for none, and for a text that is no reference.
    package var name: Reference? {
        guard let refName else { return nil }
        return (try? Reference(parsing: refName))?.withDefaultTag
    }

    /// Whether it stands for several platforms.
    package var isIndex: Bool { MediaType.isIndex(manifest.mediaType) }

    /// The same image under another name, with `:latest` filled in, or under none.
    package func named(_ name: Reference?) -> ImageEntry {
        var copy = self
        copy.refName = name?.withDefaultTag.description
        return copy
    }

    /// Whether both are the same image; entries without a noted id are compared by manifest.
    package func isSameImage(as other: ImageEntry) -> Bool {
        if let image, let theirs = other.image { return image == theirs }
        return manifest.digest == other.manifest.digest
    }
}

extension ImageEntry {
    private enum Note {
        static let image = "dev.shale.image"
        static let repoDigests = "dev.shale.repo-digests"
        static let packedAtPush = "dev.shale.packed-at-push"
        static let parent = "dev.shale.parent"
        static let members = "dev.shale.members"
        static let created = "dev.shale.created"
        static let size = "dev.shale.size"
        static let all: Set<String> = [
            image, repoDigests, packedAtPush, parent, members, created, size, Annotation.refName,
        ]
    }

    /// Reads an index's descriptor.
    package init(_ descriptor: Descriptor) {
        let notes = descriptor.annotations ?? [:]
        manifest = descriptor
        let foreign = notes.filter { !Note.all.contains($0.key) }
        manifest.annotations = foreign.isEmpty ? nil : foreign
        refName = notes[Annotation.refName]
        image = notes[Note.image].flatMap { try? Digest(parsing: $0) }
        repoDigests =
            notes[Note.repoDigests].map {
                $0.split(separator: " ").compactMap { try? Reference(parsing: String($0)) }
            } ?? []
        isPackedAtPush = notes[Note.packedAtPush] == "true"
        parent = notes[Note.parent].flatMap { try? Digest(parsing: $0) }
        members = notes[Note.members].map { $0.split(separator: " ").compactMap { try? Digest(parsing: String($0)) } }
        created = notes[Note.created].flatMap { Timestamp(rfc3339: $0) }
        size = notes[Note.size].flatMap { Int64($0) }
    }

    /// The index's descriptor.
    package var descriptor: Descriptor {
        var notes = manifest.annotations ?? [:]
        notes[Annotation.refName] = refName
        notes[Note.image] = image?.description
        notes[Note.repoDigests] =
            repoDigests.isEmpty ? nil : repoDigests.map(\.description).sorted().joined(separator: " ")
        notes[Note.packedAtPush] = isPackedAtPush ? "true" : nil
        notes[Note.parent] = parent?.description
        notes[Note.members] = members.map { $0.map(\.description).joined(separator: " ") }
        notes[Note.created] = created?.description
        notes[Note.size] = size.map(String.init)
        var result = manifest
        result.annotations = notes.isEmpty ? nil : notes
        return result
    }
}
