package import Basics
package import OCI
package import Stores

// What a session needs to take names and images back to where they were.
extension Engine {
    /// Gives a name back the image it had, or takes it away.
    ///
    /// Throws `conflict` when the image's content has been collected.
    package func restore(_ reference: Reference, to entry: ImageEntry?) throws(ShaleError) {
        if let entry {
            try store.images.restore([entry])
        } else {
            _ = try store.names.update { $0.removeName(reference) }
        }
    }

    /// Takes images out of sight, where nothing else needs them.
    package func hide(_ images: [Digest]) throws(ShaleError) {
        guard !images.isEmpty else { return }
        let used = Set(try store.containers.all().map(\.image))
        try store.images.hide(images) { used.contains($0) }
    }
}
