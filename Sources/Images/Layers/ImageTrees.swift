package import Basics
import Glibc
package import Linux
package import OCI
package import Stores
import Synchronization

extension ImageEngine {
    /// The unpacked layers of an image, top first, as an overlay mount wants them.
    ///
    /// Throws what unpacking a missing layer throws.
    package func lowerPaths(of image: Image) throws(ShaleError) -> [String] {
        try unpackedPaths(image.config, image.manifest.layers).reversed()
    }

    /// The unpacked layers of a config, lowest first; what is not unpacked (an image that another tool put into the
    /// layout, a layer lost to a power cut) is unpacked from its blob.
    ///
    /// Throws what unpacking a missing layer throws, and `notFound` when a layer is not unpacked after that.
    package func unpackedPaths(_ config: ImageConfig, _ layers: [Descriptor]) throws(ShaleError) -> [String] {
        try unpackMissingLayers(of: config, blobs: layers, OperationContext())
        return try store.layers.paths(for: config)
    }

    /// An image's files as one read-only tree: its only layer, or an overlay that no path leads to and that goes with
    /// the value.
    ///
    /// Throws what unpacking a missing layer, opening a layer or mounting the overlay throws.
    package func mountedTree(of image: Image) throws(ShaleError) -> RootDirectory {
        let paths = try lowerPaths(of: image)
        guard paths.count != 1 else { return try open(paths[0]) }
        guard !paths.isEmpty else {
            // An overlay needs a layer; an image without any is an empty directory.
            return try emptyDirectory()
        }
        let mount = try Overlay.detachedMount(lowers: paths, upper: nil, work: nil, form: form)
        return RootDirectory(mount)
    }

    /// A directory with nothing in it and no name any more.
    private func emptyDirectory() throws(ShaleError) -> RootDirectory {
        let path = try store.newScratchPath()
        return try translating("an empty directory") {
            try Linux.check("mkdir", path: path) { mkdir(path, 0o755) }
            defer { rmdir(path) }
            return try RootDirectory(hostPath: path)
        }
    }

    /// Opens a directory of the store's as a root.
    ///
    /// Throws the error of opening the directory.
    package func open(_ path: String) throws(ShaleError) -> RootDirectory {
        do throws(SystemCallError) {
            return try RootDirectory(hostPath: path)
        } catch {
            throw error.shaleError(path)
        }
    }
}
