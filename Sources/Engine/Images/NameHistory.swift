package import Basics
package import OCI
package import Stores

// What a session needs to take a name back to where it was.
extension Engine {
    /// Every name and the image it has now.
    package func namesAndImages() throws(ShaleError) -> [Reference: ImageEntry] {
        try store.names.table().entries.reduce(into: [:]) { all, entry in
            if let name = entry.name { all[name] = entry }
        }
    }

    /// Gives a name back the image it had, or takes it away.
    ///
    /// Throws `conflict` when the image's content has been collected.
    package func restore(_ reference: Reference, to entry: ImageEntry?) throws(ShaleError) {
        if let entry {
            try store.images.restore([entry])
        } else {
            _ = try store.names.remove(reference)
        }
    }
}
