package import Basics
package import Layers
import Linux
import OCI
import Stores

extension Engine {
    /// The files of a container or an image, the container's own on top.
    package func tree(of name: String) throws(ShaleError) -> MergedTree {
        let container: ContainerView
        do throws(ShaleError) {
            container = try self.container(name)
        } catch {
            guard error.code == .notFound else { throw error }
            guard let image = try? store.images.find(name) else { throw error }
            return MergedTree(layers: try directories(lowerPaths(of: image)), form: form)
        }
        let upper = try open(store.containers.folder(container.record.id).upper)
        return MergedTree(layers: [upper] + (try roots(of: container.record)), form: form)
    }

    /// Writes a tree as a tar.
    package func export(
        _ tree: MergedTree, cancellation: Cancellation, to sink: @escaping ByteSink
    ) throws(ShaleError) {
        _ = try TreeArchive.pack(tree, cancellation: cancellation, to: sink)
    }
}
