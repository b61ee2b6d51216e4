package import Basics
import Containers
import Images
import Layers
import Linux
import OCI
import Stores

/// What a step's layer and settings say about joining its `RUN` with the following ones.
struct RunFacts {
    /// The step's own layer.
    let layer: LayerIndex
    /// The working directory and its parent directories, as written and with links followed.
    let workingDirectories: [String]
    let hasVolumes: Bool
    let hasOwnShell: Bool

    /// Names of hard-linked files in the layer.
    private let linkedNames: [String]

    init(
        layer: LayerIndex, workingDirectories: [String] = [], hasVolumes: Bool = false, hasOwnShell: Bool = false
    ) {
        self.layer = layer
        self.workingDirectories = workingDirectories
        self.hasVolumes = hasVolumes
        self.hasOwnShell = hasOwnShell
        linkedNames = layer.entries.filter { $0.kind == .hardLink }.flatMap { [$0.path, $0.link] }
    }

    /// Why one command for this `RUN` and the `RUN` of `next` would not have the same effect; `nil` when it would.
    ///
    /// Two `RUN`s have a layer boundary between them: when the second writes to a hard-linked file of the first, the
    /// link is
    /// broken; a directory of the first cannot be renamed; a removed working directory is created again.
    func obstacle(to next: RunFacts) -> String? {
        if hasOwnShell || next.hasOwnShell { return "the image has a SHELL of its own" }
        if hasVolumes || next.hasVolumes { return "what is written to a volume is gone when a RUN ends" }
        for path in workingDirectories {
            guard let entry = layer[path], entry.kind != .directory || entry.isOpaque else { continue }
            return "the RUN above removes \(path.visible), where this one starts"
        }
        for name in linkedNames where next.touches(name) {
            return "it changes \(name.visible), which has other names since the RUN above"
        }
        for gone in next.layer.entries where gone.kind == .whiteout {
            guard layer[gone.path]?.kind == .directory, next.holdsCopy(of: layer.names(in: gone.path)) else { continue }
            return "it moves \(gone.path.visible), which the RUN above made"
        }
        return nil
    }

    /// Whether the layer contains a path, or deletes it or a directory above it.
    private func touches(_ path: String) -> Bool {
        if layer[path] != nil { return true }
        var above = path.parentPath
        while above != "/" {
            if let entry = layer[above], entry.kind != .directory || entry.isOpaque { return true }
            above = above.parentPath
        }
        return false
    }

    /// Whether some directory of the layer contains all these names.
    private func holdsCopy(of names: Set<String>) -> Bool {
        guard !names.isEmpty else { return true }
        return layer.entries.contains { $0.kind == .directory && names.isSubset(of: layer.names(in: $0.path)) }
    }
}

extension LayerIndex {
    /// The names of the layer's entries directly in a directory.
    fileprivate func names(in directory: String) -> Set<String> {
        let prefix = directory == "/" ? "/" : directory + "/"
        var found: Set<String> = []
        var place = position(notBefore: prefix)
        while place < entries.count, entries[place].path.utf8.starts(with: prefix.utf8) {
            let rest = entries[place].path.utf8.dropFirst(prefix.utf8.count)
            if !rest.isEmpty, !rest.contains(UInt8(ascii: "/")) { found.insert(String(decoding: rest, as: UTF8.self)) }
            place += 1
        }
        return found
    }
}

extension RecipeEngine {
    /// A shorter recipe; `RUN`s are joined only where the layers show that the files stay the same.
    ///
    /// Comments say which `RUN`s were not joined.
    ///
    /// Throws what reading the layers of its `RUN`s throws.
    package func tidied(_ recipe: Recipe) throws(ShaleError) -> Recipe {
        var known: [Recipe.LayerOwner: RunFacts] = [:]
        for (line, source) in zip(recipe.lines, recipe.sources) where line.keyword == "RUN" {
            guard let source, known[source] == nil else { continue }
            known[source] = try runFacts(of: source)
        }
        return recipe.tidied { known[$0] }
    }

    private func runFacts(of place: Recipe.LayerOwner) throws(ShaleError) -> RunFacts {
        let parent: Image?
        let settings: ContainerConfig
        var layer = LayerIndex()
        switch place {
        case .image(let id):
            let image = try store.images.image(id)
            let story = try images.provenance(of: id)
            parent = try store.images.imageIfHere(story?.parent)
            settings = story?.facts?.settings ?? parent?.containerConfig ?? ContainerConfig()
            if image.config.rootfs.diffIDs.count > (parent?.config.rootfs.diffIDs.count ?? 0),
                let (diffID, chain) = LayerStore.stack(of: image.config).last
            {
                try images.unpackMissingLayers(of: image, OperationContext())
                if let path = store.layers.indexPath(diffID, on: chain) { layer = try LayerIndex(reading: path) }
            }
        case .container(let id):
            let record = try store.containers.record(id)
            parent = try store.images.image(manifest: record.manifest)
            settings = record.config
            // A container's lines come last. Only its own commands are joined after it, so kinds and paths are enough.
            layer.entries = try containers.changes(of: record).map { change in
                let isDirectory = change.status?.kind == .directory
                return LayerEntry(
                    path: change.path, kind: change.kind == .deleted ? .whiteout : isDirectory ? .directory : .file)
            }
        }
        let directory = ImagePath.clean(settings.workingDir ?? "/")
        var directories = directory.withParents
        if let parent, let real = try images.tree(of: parent).entry(directory, followingLinks: true)?.path {
            directories += real.withParents.filter { !directories.contains($0) }
        }
        return RunFacts(
            layer: layer, workingDirectories: directories, hasVolumes: !(settings.volumes ?? [:]).isEmpty,
            hasOwnShell: settings.commandShell != ["/bin/sh", "-c"])
    }
}

extension String {
    /// The absolute path and all directories above it, without the root.
    fileprivate var withParents: [String] {
        var paths: [String] = []
        var path = self
        while path != "/", !path.isEmpty {
            paths.append(path)
            path = path.parentPath
        }
        return paths
    }
}
