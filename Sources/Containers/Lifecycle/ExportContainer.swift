package import Basics
import Images
package import Layers
import Linux
import OCI
import Stores

extension ContainerEngine {
    /// The files of a container or an image, the container's own on top.
    ///
    /// Throws `notFound` when there is no such container or image, and what opening a layer throws.
    package func tree(of name: String) throws(ShaleError) -> MergedTree {
        guard let record = try store.container(meantBy: name)?.record else {
            guard let image = try? store.images.find(name) else { throw ContainerStore.noSuchContainer(name) }
            return try images.tree(of: image)
        }
        let upper = try images.open(store.containers.folder(record.id).upper)
        return MergedTree(layers: [upper] + (try roots(of: record)), form: form)
    }

    /// Writes a tree as a tar.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the files or `sink` throws.
    package func export(
        _ tree: MergedTree, cancellation: Cancellation, to sink: @escaping ByteSink
    ) throws(ShaleError) {
        _ = try TreeArchive.pack(tree, cancellation: cancellation, to: sink)
    }
    /// Writes several trees as one tar, each in a folder of its own.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the files or `sink` throws.
    package func export(
        _ trees: [(folder: String, tree: MergedTree)], cancellation: Cancellation, to sink: @escaping ByteSink
    ) throws(ShaleError) {
        try TreeArchive.pack(trees, cancellation: cancellation, to: sink)
    }
}
