package import Basics
package import OCI

/// An image in the store: its documents and the store's notes about it.
package struct Image: Sendable {
    /// The digest of its config: docker's image id.
    package var id: Digest
    package var manifestDescriptor: Descriptor
    /// The index of the name by which it was found, when no platform was requested.
    package var index: Descriptor?
    package var manifest: Manifest
    package var config: ImageConfig
    /// The sum of the unpacked layers' sizes, in bytes.
    package var size: Int64
    /// Its names, sorted.
    package var references: [Reference]
    /// Its references by digest in registries (`name@sha256:…`), sorted.
    package var repoDigests: [Reference]
    /// Whether the layers were compressed when it was pushed, so that the registry's manifest differs from the one
    /// here.
    package var isPackedAtPush = false
    /// The image it was built on here.
    package var parent: Digest?

    /// Whether its manifest has the same bytes as in a registry.
    package var isAsPulled: Bool { !repoDigests.isEmpty && !isPackedAtPush }

    package var containerConfig: ContainerConfig { config.config ?? ContainerConfig() }

    package init(
        id: Digest, manifestDescriptor: Descriptor, manifest: Manifest, config: ImageConfig, size: Int64,
        references: [Reference] = [], repoDigests: [Reference] = [], parent: Digest? = nil
    ) {
        self.id = id
        self.manifestDescriptor = manifestDescriptor
        self.manifest = manifest
        self.config = config
        self.size = size
        self.references = references
        self.repoDigests = repoDigests
        self.parent = parent
    }
}

/// What a listing shows of an image.
///
/// It is known without reading the image's documents.
package struct ImageSummary: Sendable, Hashable {
    package var id: Digest
    package var manifest: Descriptor
    package var created: Timestamp?
    /// The sum of the unpacked layers' sizes, in bytes.
    package var size: Int64
    package var references: [Reference]
    package var repoDigests: [Reference]
    package var parent: Digest?
    /// The indexes among its names.
    package var indexes: [NamedIndex] = []
    /// Whether another image was built on it.
    package var hasChildren = false

    /// Whether it has no name and no child: `prune` removes such images.
    package var isDangling: Bool { references.isEmpty && repoDigests.isEmpty && !hasChildren }
    /// Whether it is only a step of a build, without a name.
    ///
    /// Listings leave such images out.
    package var isIntermediate: Bool { references.isEmpty && repoDigests.isEmpty && hasChildren }
}

/// An index, and its names.
package struct NamedIndex: Sendable, Hashable {
    package var descriptor: Descriptor
    package var references: [Reference]
}

extension ImageSummary {
    /// One summary for each image, in the table's order.
    ///
    /// Entries without an image ID are left out.
    static func all(in table: ImageTable) -> [ImageSummary] {
        var places: [Digest: Int] = [:]
        var summaries: [ImageSummary] = []
        for entry in table.entries {
            guard let id = entry.image else { continue }
            if let place = places[id] {
                summaries[place].references += entry.name.map { [$0] } ?? []
            } else {
                places[id] = summaries.count
                summaries.append(ImageSummary(entry, id: id))
            }
            if entry.isIndex, let place = places[id] { summaries[place].note(entry) }
        }
        for entry in table.entries {
            for member in entry.members ?? [] where member != entry.image {
                if let place = places[member] { summaries[place].hasChildren = true }
            }
        }
        for summary in summaries {
            if let parent = summary.parent, let place = places[parent] { summaries[place].hasChildren = true }
        }
        for place in summaries.indices where summaries[place].references.count > 1 {
            summaries[place].references.sort { $0.description < $1.description }
        }
        return summaries
    }

    private mutating func note(_ entry: ImageEntry) {
        let names = entry.name.map { [$0] } ?? []
        if let place = indexes.firstIndex(where: { $0.descriptor.digest == entry.manifest.digest }) {
            indexes[place].references += names
        } else {
            indexes.append(NamedIndex(descriptor: entry.manifest, references: names))
        }
    }

    private init(_ entry: ImageEntry, id: Digest) {
        self.init(
            id: id, manifest: entry.manifest, created: entry.created, size: entry.size ?? 0,
            references: entry.name.map { [$0] } ?? [],
            repoDigests: entry.repoDigests.sorted { $0.description < $1.description }, parent: entry.parent)
    }
}
