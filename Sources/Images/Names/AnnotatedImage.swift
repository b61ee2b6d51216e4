package import Basics
package import OCI
package import Stores

extension ImageEngine {
    /// Adds annotations to an image's manifest, and gives the new manifest the names.
    ///
    /// The image ID does not change.
    ///
    /// Throws what writing to the store throws.
    package func annotated(
        _ image: Image, with annotations: [String: String], as names: [Reference]
    ) throws(ShaleError) -> Image {
        var manifest = image.manifest
        manifest.annotations = (manifest.annotations ?? [:]).merging(annotations) { _, new in new }
        return try store.images.add(
            manifest: manifest.document.text().utf8, mediaType: image.manifestDescriptor.mediaType, references: names)
    }
}
