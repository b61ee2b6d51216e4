package import Basics
import Containers
import Dockerfiles
import Glibc
import Images
import Layers
import Linux
import OCI
import Stores

/// Writes a recipe with all files it copies, so that `docker build DIR` and `shale build DIR` both make the image.
package struct RecipeFolder {
    private let engine: RecipeEngine
    private let folder: String
    /// The layers that were read so far.
    private let known = KnownLayers()

    /// The file that marks a recipe's folder.
    ///
    /// It lists the paths of the recipe, as a JSON array. It may come from a stranger, so nothing is removed because
    /// of it: what this home wrote is in ``SavedRecipeFiles``.
    private static let listName = ".shale-recipe"

    /// Creates the folder when it is missing.
    ///
    /// The folder must be empty or hold an earlier recipe.
    ///
    /// Throws `conflict` for a folder with other files, and the file system's error when the folder cannot be created
    /// or
    /// read.
    package init(_ folder: String, engine: RecipeEngine) throws(ShaleError) {
        self.engine = engine
        self.folder = folder
        try translating("recipe save \(folder)") {
            if mkdir(folder, mode_t(CallersUmask.applied(to: 0o755))) == -1, errno != EEXIST {
                throw SystemCallError("mkdir", path: folder)
            }
            let names = try RootDirectory(hostPath: folder).names(in: "/")
            guard names.isEmpty || names.contains(Self.listName) else {
                throw ShaleError(
                    .conflict, "\(folder) holds files that are no recipe's",
                    hint: "recipe save \(folder.hasSuffix("/") ? folder : folder + "/")recipe")
            }
        }
    }

    /// Writes the recipe and `others` to the folder, in place of the recipe that was saved there before.
    ///
    /// Returns the paths that were written.
    ///
    /// Other files in the folder are kept, and so are files of the earlier recipe that were changed since, or that
    /// another home wrote. With `isPrivate` only the owner may read the text files.
    ///
    /// Throws `cancelled`, `notFound` when an image has no layer of its own any more, and the errors of reading the
    /// layers
    /// and writing the files.
    package func save(
        _ recipe: Recipe, others: [(path: String, text: String, mode: UInt32)] = [], isPrivate: Bool = false,
        _ cancellation: Cancellation
    ) throws(ShaleError) -> [String] {
        let root = try translating("recipe save \(folder)") { try RootDirectory(hostPath: folder) }
        let written = recipe.attachments.map(\.path)
        let texts = [(path: "Dockerfile", text: recipe.dockerfile, mode: UInt32(0o644))] + others
        let list = "\(folder)/\(Self.listName)"
        let all = texts.map(\.path) + written
        let saved = try SavedRecipeFiles(in: folder, root, engine.store.cache)
        try saved.removeUnchanged()
        try translating("recipe save \(folder)") {
            try UnnamedFile.write(
                Array((ConfigInstructions.array(all) + "\n").utf8), to: list, mode: CallersUmask.applied(to: 0o644))
        }
        for attachment in recipe.attachments {
            try cancellation.check()
            try write(attachment, below: root, cancellation)
        }
        for file in texts {
            let path = "\(folder)/\(file.path)"
            try translating(path) {
                try UnnamedFile.write(
                    file.text.pathBytes, to: path,
                    mode: CallersUmask.applied(to: isPrivate ? file.mode & 0o700 : file.mode))
            }
        }
        try saved.note(all)
        return all
    }

    /// Removes the Dockerfile and the list of paths from a saved recipe, so that only its files are left.
    ///
    /// Throws the file system's error.
    static func files(below folder: String) throws(ShaleError) -> RootDirectory {
        try translating("recipe save \(folder)") {
            let root = try RootDirectory(hostPath: folder)
            for name in ["Dockerfile", listName] { try root.descriptor.unlink(name) }
            return root
        }
    }

    private func write(
        _ attachment: Recipe.Attachment, below root: RootDirectory, _ cancellation: Cancellation
    ) throws(ShaleError) {
        switch attachment.content {
        case .file(let image, let path, let mode):
            var options = self.options
            options.mode = .fixed(mode)
            options.followSourceLink = true
            try TreeCopy(from: tree(image), to: root, options: options)
                .copy(path, to: attachment.path, cancellation: cancellation)
        case .tree(let image, let path, let entries):
            var options = self.options
            let wanted = Set(entries.map(PathKey.init))
            options.include = { entry, isDirectory in
                wanted.contains(PathKey(entry)) ? .include : isDirectory ? .skip : .prune
            }
            options.updatesTopDirectory = true
            // The original copy followed a link in the image, such as /lib: the files are at the link's target.
            let tree = try tree(image)
            let place = try translating(path) { try tree.pathBehindLinks(path) }
            try TreeCopy(from: tree, to: root, options: options)
                .copy(place, to: attachment.path, cancellation: cancellation)
        case .piece(let place, let path):
            var options = self.options
            options.updatesTopDirectory = true
            try TreeCopy(from: layer(place).root, to: root, options: options)
                .copy(path, to: attachment.path, cancellation: cancellation)
        case .tar(let place, let paths):
            let layer = try layer(place)
            let wanted = Set(paths.map(PathKey.init))
            let changes = layer.changes.filter { wanted.contains(PathKey($0.path)) && $0.kind != .deleted }
            try writing(attachment.path) { sink throws(ShaleError) in
                _ = try LayerWriter.write(changes: changes, upper: layer.root, cancellation: cancellation, to: sink)
            }
        case .kept(let digest): try writeKept(digest, to: attachment.path, cancellation)
        case .keptPiece(let digest, let path):
            let scratch = try ScratchFolder(in: engine.store)
            let source = FDSource(try engine.store.blobs.open(digest), subject: "a copied file")
            _ = try TreeArchive.unpack(
                source, into: scratch.root, subject: "a copied file", cancellation: cancellation)
            try TreeCopy(from: scratch.root, to: root, options: options)
                .copy(path, to: attachment.path, cancellation: cancellation)
        case .whole(let place):
            let tree =
                switch place {
                case .image(let id): try engine.images.tree(of: engine.store.images.image(id))
                case .container(let id): try engine.containers.tree(of: engine.store.containers.record(id))
                }
            try writing(attachment.path) { sink throws(ShaleError) in
                _ = try TreeArchive.pack(tree, cancellation: cancellation, to: sink)
            }
        }
    }

    /// The files belong to the user who saves them: an image's owners have no meaning on the host.
    private var options: TreeCopyOptions {
        var options = TreeCopyOptions()
        options.owner = TreeCopyOptions.Owner(uid: UInt32(geteuid()), gid: UInt32(getegid()))
        options.keepAttributes = false
        options.makeParents = true
        return options
    }

    private func tree(_ image: Digest) throws(ShaleError) -> RootDirectory {
        try engine.images.mountedTree(of: engine.store.images.image(image))
    }

    private func layer(_ place: Recipe.LayerOwner) throws(ShaleError) -> OwnLayer {
        if let layer = known.layers[place] { return layer }
        let layer = try find(place)
        known.layers[place] = layer
        return layer
    }

    private final class KnownLayers { var layers: [Recipe.LayerOwner: OwnLayer] = [:] }

    private func find(_ place: Recipe.LayerOwner) throws(ShaleError) -> OwnLayer {
        switch place {
        case .container(let id): return try OwnLayer(of: engine.store.containers.record(id), engine: engine)
        case .image(let id):
            let image = try engine.store.images.image(id)
            let parent = try engine.store.images.imageIfHere(engine.images.provenance(of: id)?.parent)
            guard let layer = try OwnLayer(of: image, over: parent, engine: engine) else {
                throw ShaleError(.notFound, "image \(id.short) has no layer of its own any more")
            }
            return layer
        }
    }

    private func writeKept(_ digest: Digest, to path: String, _ cancellation: Cancellation) throws(ShaleError) {
        let source = FDSource(try engine.store.blobs.open(digest), subject: "a copied file")
        try writing(path) { sink throws(ShaleError) in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            while true {
                try cancellation.check()
                let count = try source.read(into: buffer)
                if count == 0 { break }
                try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    /// Calls `body` with a sink that writes a new file of the recipe.
    private func writing(_ path: String, _ body: (@escaping ByteSink) throws(ShaleError) -> Void) throws(ShaleError) {
        let target = "\(folder)/\(path)"
        let file = try translating(target) { try UnnamedFile(for: target, mode: CallersUmask.applied(to: 0o644)) }
        try body { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            try translating(target) { try file.descriptor.write(bytes) }
        }
        try translating(target) { try file.put(syncing: false) }
    }
}
