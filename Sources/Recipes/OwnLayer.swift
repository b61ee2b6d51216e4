import Basics
import Containers
import Glibc
import Images
import Layers
import Linux
import OCI
import Stores

/// The changes of an image's top layer or of a container: the paths, and the folder with their files.
struct OwnLayer {
    let root: RootDirectory
    /// The changes sorted by path.
    ///
    /// A directory that was changed only by its entries has no reasons.
    let changes: [Change]
    private let places: [PathKey: Int]

    /// The changes of a container so far.
    init(of container: ContainerRecord, engine: RecipeEngine) throws(ShaleError) {
        root = try engine.images.open(engine.store.containers.folder(container.id).upper)
        changes = try engine.containers.changes(of: container)
        places = Self.places(changes)
    }

    /// The layer that an image adds to its parent; `nil` when it adds none.
    init?(of image: Image, over parent: Image?, engine: RecipeEngine) throws(ShaleError) {
        guard image.config.rootfs.diffIDs.count > (parent?.config.rootfs.diffIDs.count ?? 0),
            let (diffID, chain) = LayerStore.stack(of: image.config).last
        else { return nil }
        try engine.images.unpackMissingLayers(of: image, OperationContext())
        guard let path = engine.store.layers.indexPath(diffID, on: chain) else { return nil }
        root = try engine.store.layers.directory(diffID, on: chain)
        let below = try parent.map { parent throws(ShaleError) in try engine.images.tree(of: parent) }
        let index = try LayerIndex(reading: path)
        var changes = try below.map { below throws(ShaleError) in try Self.hidden(by: index, below) } ?? []
        for entry in index.entries where !entry.isCopiedUp && entry.path != "/" {
            if entry.kind == .whiteout {
                changes.append(Change(kind: .deleted, path: entry.path))
                continue
            }
            do throws(SystemCallError) {
                let status = try root.status(entry.path)
                let link = status.kind == .symlink ? try root.readLink(entry.path) : ""
                changes.append(Change(kind: .added, path: entry.path, status: status, link: link))
            } catch {
                throw error.shaleError(entry.path)
            }
            if entry.kind == .directory, let below, !below.layers.isEmpty,
                let old = try below.entry(entry.path, followingLinks: false), old.status.kind == .directory
            {
                let last = changes.count - 1
                changes[last].kind = .changed
                if old.status.permissions != entry.mode { changes[last].reasons.insert(.mode) }
                if (old.status.uid, old.status.gid) != (entry.uid, entry.gid) { changes[last].reasons.insert(.owner) }
                if !entry.attributes.isEmpty { changes[last].reasons.insert(.xattr) }
            }
        }
        self.changes = changes.sorted { PathOrder.precedes($0.path, $1.path) }
        places = Self.places(self.changes)
    }

    /// The paths of lower layers that a layer's opaque directories delete.
    private static func hidden(by index: LayerIndex, _ below: MergedTree) throws(ShaleError) -> [Change] {
        guard !below.layers.isEmpty else { return [] }
        var changes: [Change] = []
        for entry in index.entries where entry.isOpaque {
            var pending = [entry.path]
            while let path = pending.popLast() {
                guard let directory = try below.entry(path, followingLinks: false),
                    directory.status.kind == .directory
                else { continue }
                for child in try below.children(of: directory) {
                    guard let own = index[child.path] else {
                        changes.append(Change(kind: .deleted, path: child.path))
                        continue
                    }
                    if own.kind == .directory, !own.isOpaque { pending.append(child.path) }
                }
            }
        }
        return changes
    }

    private static func places(_ changes: [Change]) -> [PathKey: Int] {
        Dictionary(changes.enumerated().map { (PathKey($0.element.path), $0.offset) }) { first, _ in first }
    }

    subscript(path: String) -> Change? { places[PathKey(path)].map { changes[$0] } }

    /// Whether a path was added, changed or deleted, by itself or by a change of a directory above it.
    func touches(_ path: String) -> Bool {
        if let change = self[path], !change.isParentOnly { return true }
        var above = path.parentPath
        while above != "/" {
            if let change = self[above], !change.isParentOnly, change.status?.kind != .directory { return true }
            above = above.parentPath
        }
        return false
    }

    /// Whether a `COPY` of the path, or of a path below it, would lose attributes or mode bits with some builders.
    func isDelicate(below path: String) -> Bool {
        changes.contains { change in
            change.kind != .deleted && change.path.isAtOrBelow(path) && isDelicate(change)
        }
    }

    /// Whether a file has extended attributes or set-id bits.
    ///
    /// Docker's classic builder loses set-id bits when it sets the owner.
    func isDelicate(_ change: Change) -> Bool {
        if let status = change.status, status.hasSetIDBits { return true }
        return hasAttributes(at: change.path)
    }

    private func hasAttributes(at path: String) -> Bool {
        let names: [String]
        do throws(SystemCallError) {
            let parent = try root.parent(of: path)
            names = try ExtendedAttributes.names(of: parent.name, in: parent.directory)
        } catch {
            // Attributes that cannot be read may be a capability: a tar is written, and its writer reads them again
            // and throws.
            return ![ENOENT, ENOTDIR, EOPNOTSUPP].contains(error.errno)
        }
        return names.contains {
            $0 == "security.capability" || ($0.hasPrefix("user.") && !OverlayForm.isBookkeeping($0))
        }
    }

    /// The groups of paths that are hard links of the same file.
    var linkGroups: [[String]] {
        var groups: [UInt64: [String]] = [:]
        for change in changes {
            guard let status = change.status, status.kind != .directory, status.links > 1 else { continue }
            groups[status.inode, default: []].append(change.path)
        }
        return groups.values.filter { $0.count > 1 }
    }
}

/// A layer that is read when it is first needed.
///
/// Most steps do not need theirs.
final class LazyLayer {
    private let make: () throws(ShaleError) -> OwnLayer?
    private var made: OwnLayer??

    init(_ make: @escaping () throws(ShaleError) -> OwnLayer?) { self.make = make }

    func read() throws(ShaleError) -> OwnLayer? {
        if let made { return made }
        let layer = try make()
        made = .some(layer)
        return layer
    }
}
