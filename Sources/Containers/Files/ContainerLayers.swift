package import Basics
import Glibc
import Images
package import Linux
import OCI
package import Stores
import Synchronization

extension ContainerEngine {
    /// The unpacked layers below a container's own layer, the top first.
    ///
    /// Throws `notFound` when the container's image is not in the store, and what unpacking a missing layer throws.
    package func lowerPaths(of container: ContainerRecord) throws(ShaleError) -> [String] {
        if let known = recentLowers.paths.withLock({ $0[container.manifest.digest] }),
            known.allSatisfy({ access($0, F_OK) == 0 })
        {
            return known
        }
        return try rememberLowers(of: store.images.image(manifest: container.manifest))
    }

    /// Remembers the paths of an image's unpacked layers in memory, for containers that are started from it next.
    @discardableResult
    func rememberLowers(of image: Image) throws(ShaleError) -> [String] {
        let paths = try images.lowerPaths(of: image)
        recentLowers.paths.withLock { known in
            if known.count > 64 { known = [:] }
            known[image.manifestDescriptor.digest] = paths
        }
        return paths
    }

    /// The opened unpacked layers below a container's own layer, the top first.
    ///
    /// Throws what `lowerPaths` or opening a layer throws.
    package func lowers(of container: ContainerRecord) throws(ShaleError) -> [RootDirectory] {
        try images.directories(lowerPaths(of: container))
    }
}
