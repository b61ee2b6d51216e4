package import Basics
package import Layers
package import OCI
package import Stores

// Looking up images by name and id, and listing the names.
extension ImageEngine {
    /// All images, newest first, without build steps that have no name.
    ///
    /// Throws what reading the names throws.
    package func all() throws(ShaleError) -> [ImageSummary] { try store.images.all() }

    /// The IDs of all images and the digests of all indexes, also of those that only a session retains.
    ///
    /// Throws what reading the names throws.
    package func allThere() throws(ShaleError) -> Set<Digest> { try store.images.allThere() }

    /// Whether an image is in the store, also when only a session retains it.
    ///
    /// Throws what reading the names throws.
    package func isThere(_ id: Digest) throws(ShaleError) -> Bool { try store.images.isThere(id) }

    /// Finds an image as ``image(named:platform:)`` does, but its errors have no hint with similar names.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when an id prefix is ambiguous, and `invalid` when the
    /// text cannot be a reference.
    package func find(_ text: String, platform: Platform? = nil) throws(ShaleError) -> Image {
        try store.images.find(text, platform: platform)
    }

    /// The image with an ID, also when only a session retains it.
    ///
    /// Throws `notFound` when there is no such image.
    package func image(id: Digest) throws(ShaleError) -> Image { try store.images.image(id) }

    /// The image of a manifest that a container or a session uses.
    ///
    /// It may have no name.
    ///
    /// Throws `notFound` when the manifest or the config is not in the store.
    package func image(manifest descriptor: Descriptor) throws(ShaleError) -> Image {
        try store.images.image(manifest: descriptor)
    }

    /// Makes an image that only a session retains findable by its whole ID in this process.
    ///
    /// No listing shows it.
    package func admit(_ id: Digest) { store.images.admit(id) }

    /// All names of images.
    ///
    /// Throws what reading the names throws.
    package func names() throws(ShaleError) -> [Reference] { try store.names.all().map(\.reference) }

    /// The entry of a name; `nil` when there is no such name.
    ///
    /// Throws what reading the names throws.
    package func entry(named name: Reference) throws(ShaleError) -> ImageEntry? {
        try store.names.table().entry(named: name)
    }

    /// The entry of each name, by full name.
    ///
    /// Throws what reading the names throws.
    package func namedEntries() throws(ShaleError) -> [String: ImageEntry] { try store.names.table().namedEntries }

    /// Whether the manifest of an entry is still in the store, so that the entry can get its name again.
    package func hasManifest(of entry: ImageEntry) -> Bool { store.blobs.contains(entry.manifest.digest) }

    /// The files of an image, read from its unpacked layers without a mount.
    ///
    /// An image without layers is an empty directory.
    ///
    /// Throws what unpacking a missing layer or opening a layer throws.
    package func tree(of image: Image) throws(ShaleError) -> MergedTree {
        MergedTree(layers: try directories(lowerPaths(of: image)), form: form)
    }
}
