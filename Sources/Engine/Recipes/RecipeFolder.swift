package import Basics
import Glibc
import Layers
import Linux
import OCI
import Stores

/// Writes a recipe with everything it copies, so that `docker build DIR` and `shale build DIR` both make the image.
package struct RecipeFolder {
    private let engine: Engine
    private let folder: String

    /// The folder is made if it is missing; one that holds anything else is refused.
    package init(_ folder: String, engine: Engine) throws(ShaleError) {
        self.engine = engine
        self.folder = folder
        try translating("recipe save \(folder)") {
            if mkdir(folder, 0o755) == -1, errno != EEXIST { throw SystemCallError("mkdir", path: folder) }
            let names = try RootDirectory(hostPath: folder).names(in: "/")
            guard names.isEmpty || names.contains("Dockerfile") else {
                throw ShaleError(
                    .conflict, "\(folder) holds other files, and none of them is a recipe",
                    hint: "recipe save \(folder)/recipe")
            }
        }
    }

    package func save(_ recipe: Recipe, _ cancellation: Cancellation) throws(ShaleError) {
        let root = try translating("recipe save \(folder)") { try RootDirectory(hostPath: folder) }
        for attachment in recipe.attachments {
            try cancellation.check()
            try write(attachment, below: root, cancellation)
        }
        let path = "\(folder)/Dockerfile"
        let text = recipe.dockerfile
        try translating(path) { try WholeFile.replace(path, with: Array(text.utf8), mode: 0o644) }
    }

    private func write(
        _ attachment: Recipe.Attachment, below root: RootDirectory, _ cancellation: Cancellation
    ) throws(ShaleError) {
        switch attachment.content {
        case .file(let image, let path, let mode):
            var options = self.options
            options.mode = mode
            try TreeCopy(from: tree(image), to: root, options: options)
                .copy(path, to: attachment.path, cancellation: cancellation)
        case .tree(let image, let path, let entries):
            var options = self.options
            let wanted = Set(entries.map(PathKey.init))
            options.include = { entry, _ in wanted.contains(PathKey(entry)) ? .include : .prune }
            try TreeCopy(from: tree(image), to: root, options: options)
                .copy(path, to: attachment.path, cancellation: cancellation)
        case .layer(let image, let left):
            try writeLayer(image, leavingOut: left, to: attachment.path, below: root, cancellation)
        }
    }

    /// The copies belong to whoever saves them: an image's owners mean nothing on the host.
    private var options: TreeCopyOptions {
        var options = TreeCopyOptions()
        options.owner = TreeCopyOptions.Owner(uid: UInt32(geteuid()), gid: UInt32(getegid()))
        options.keepAttributes = false
        options.makeParents = true
        return options
    }

    private func tree(_ image: Digest) throws(ShaleError) -> RootDirectory {
        try engine.mountedTree(of: engine.store.images.image(image))
    }

    private func writeLayer(
        _ id: Digest, leavingOut: Set<String>, to path: String, below root: RootDirectory, _ cancellation: Cancellation
    ) throws(ShaleError) {
        let image = try engine.store.images.image(id)
        guard let (diffID, chain) = LayerStore.stack(of: image.config).last else { return }
        let directory = try engine.store.layers.directory(diffID, on: chain)
        guard let indexPath = engine.store.layers.indexPath(diffID, on: chain) else { return }
        let index = try LayerIndex(reading: indexPath)
        let target = "\(folder)/\(path)"
        try translating(target) {
            // What the layer hides is a `RUN rm` in the recipe: a tar can only add.
            var changes: [Change] = []
            for entry in index.entries where entry.kind != .whiteout && !leavingOut.contains(entry.path) {
                changes.append(
                    Change(kind: .added, path: entry.path, status: try directory.status(entry.path), link: entry.link))
            }
            let file = OpenFile(try OwnedFD.open(target, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644))
            _ = try LayerWriter.write(changes: changes, upper: directory, cancellation: cancellation) {
                (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                try translating(target) { try file.descriptor.write(bytes) }
            }
        }
    }

    /// A descriptor that an escaping closure may hold.
    private final class OpenFile {
        let descriptor: OwnedFD
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }
}
