package import Basics
package import OCI

/// One entry of `index.json`: a manifest or an index with at most one name, and notes about its image.
///
/// For an index the noted image is the one that a use without a platform takes; see ``ImageStore/choose(from:for:)``.
///
/// The notes are annotations of the descriptor, so that a listing reads only one file. Entries of other tools have no
/// notes; the image store then reads manifest and config.
package struct ImageEntry: Sendable, Hashable, Codable {
    /// The descriptor without the store's own annotations.
    package var manifest: Descriptor
    /// The annotation `org.opencontainers.image.ref.name`, unchanged.
    ///
    /// Skopeo and umoci look an image up by exactly this text.
    package var refName: String?
    /// The digest of the config: docker's image id.
    package var image: Digest?
    /// Its references by digest in registries, such as `docker.io/library/busybox@sha256:…`.
    package var repoDigests: [Reference]
    /// Whether the layers were compressed when it was pushed, so that the registry's manifest differs from the one
    /// here.
    package var isPackedAtPush = false
    /// The image on which it was built here.
    package var parent: Digest?
    /// For an index that was made here: the images with their own entries from which it was made.
    package var members: [Digest]?
    package var created: Timestamp?
    /// The sum of the unpacked layers' sizes, in bytes.
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

    /// The full name with a tag; `nil` without a name, or when the text is no reference.
    package var name: Reference? {
        guard let refName else { return nil }
        return (try? Reference(parsing: refName))?.withDefaultTag
    }

    /// Whether it is an index of several platforms.
    package var isIndex: Bool { MediaType.isIndex(manifest.mediaType) }

    /// The entry with another name, which gets a tag, or without a name.
    package func named(_ name: Reference?) -> ImageEntry {
        var copy = self
        copy.refName = name?.withDefaultTag.description
        return copy
    }

    /// Whether both are the same image.
    ///
    /// Entries without an image ID are compared by manifest.
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

    /// Reads a descriptor of `index.json`.
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

    /// The descriptor for `index.json`.
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
