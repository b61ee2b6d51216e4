package import Basics
package import Layers
package import OCI
package import Stores

// Looking up images by name and id, and listing the names.
extension ImageEngine {
    /// All images, newest first, without the nameless steps of builds.
    ///
    /// Throws what reading the names throws.
    package func all() throws(ShaleError) -> [ImageSummary] { try store.images.all() }

    /// The ids of all images and the digests of all indexes, also of those that only a session holds.
    ///
    /// Throws what reading the names throws.
    package func allThere() throws(ShaleError) -> Set<Digest> { try store.images.allThere() }

    /// Whether an image is here, also one that only a session holds.
    ///
    /// Throws what reading the names throws.
    package func isThere(_ id: Digest) throws(ShaleError) -> Bool { try store.images.isThere(id) }

    /// The same as ``image(named:platform:)``, but an error has no hint at similar names.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when an id prefix is ambiguous, and `invalid` when the
    /// text cannot be a reference.
    package func find(_ text: String, platform: Platform? = nil) throws(ShaleError) -> Image {
        try store.images.find(text, platform: platform)
    }

    /// The image with that id, also one that only a session holds.
    ///
    /// Throws `notFound` when there is no such image.
    package func image(id: Digest) throws(ShaleError) -> Image { try store.images.image(id) }

    /// The image a container or a session keeps by its manifest, named or not.
    ///
    /// Throws `notFound` when the manifest or the config is not in the store.
    package func image(manifest descriptor: Descriptor) throws(ShaleError) -> Image {
        try store.images.image(manifest: descriptor)
    }

    /// Lets an image that only a session holds be found by its whole id in this process; no listing shows it.
    package func admit(_ id: Digest) { store.images.admit(id) }

    /// All names of images.
    ///
    /// Throws what reading the names throws.
    package func names() throws(ShaleError) -> [Reference] { try store.names.all().map(\.reference) }

    /// What a name leads to; `nil` where there is no such name.
    ///
    /// Throws what reading the names throws.
    package func entry(named name: Reference) throws(ShaleError) -> ImageEntry? {
        try store.names.table().entry(named: name)
    }

    /// What each name leads to, by its full form.
    ///
    /// Throws what reading the names throws.
    package func namedEntries() throws(ShaleError) -> [String: ImageEntry] { try store.names.table().namedEntries }

    /// Whether what a name led to can be named again: its manifest was not pruned.
    package func hasManifest(of entry: ImageEntry) -> Bool { store.blobs.contains(entry.manifest.digest) }

    /// The image's files as they lie, nothing mounted and nothing written: one of no layers is an empty directory.
    ///
    /// Throws what unpacking a missing layer or opening a layer throws.
    package func tree(of image: Image) throws(ShaleError) -> MergedTree {
        MergedTree(layers: try directories(lowerPaths(of: image)), form: form)
    }
}
