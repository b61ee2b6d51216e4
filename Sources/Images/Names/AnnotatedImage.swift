package import Basics
package import OCI
package import Stores

extension ImageEngine {
    /// The same image with more annotations in its manifest, under names; its id stays.
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
