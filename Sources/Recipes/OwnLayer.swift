import Basics
import Containers
import Images
import Layers
import Linux
import OCI
import Stores

/// What one image's topmost layer, or a container, changes: the paths, and where their files lie.
struct OwnLayer {
    let root: RootDirectory
    /// Sorted; directories that only hold a change have no reasons.
    let changes: [Change]
    private let places: [PathKey: Int]

    /// A container's changes so far.
    init(of container: ContainerRecord, engine: RecipeEngine) throws(ShaleError) {
        root = try engine.images.open(engine.store.containers.folder(container.id).upper)
        changes = try engine.containers.changes(of: container)
        places = Self.places(changes)
    }

    /// The layer an image adds to the one it was made from; none when it adds none.
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

    /// What the opaque directories of a layer remove of the layers below.
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

    /// Whether a path is made, changed or removed, by itself or with a directory above it.
    func touches(_ path: String) -> Bool {
        if let change = self[path], !change.isParentOnly { return true }
        var above = path.parentPath
        while above != "/" {
            if let change = self[above], !change.isParentOnly, change.status?.kind != .directory { return true }
            above = above.parentPath
        }
        return false
    }

    /// Whether a path, or one below it, has what a `COPY` of it would not keep with every builder.
    func isDelicate(below path: String) -> Bool {
        changes.contains { change in
            change.kind != .deleted && change.path.isAtOrBelow(path) && isDelicate(change)
        }
    }

    /// Extended attributes, and the set-id bits of files, which docker's classic builder loses when it gives them their
    /// owner.
    func isDelicate(_ change: Change) -> Bool {
        if let status = change.status, status.kind == .regular, status.permissions & 0o6000 != 0 { return true }
        return hasAttributes(at: change.path)
    }

    private func hasAttributes(at path: String) -> Bool {
        guard let parent = try? root.parent(of: path),
            let names = try? ExtendedAttributes.names(of: parent.name, in: parent.directory)
        else { return false }
        return names.contains {
            $0 == "security.capability" || ($0.hasPrefix("user.") && !OverlayForm.isBookkeeping($0))
        }
    }

    /// Paths that are names of one file each, by that file.
    var linkGroups: [[String]] {
        var groups: [UInt64: [String]] = [:]
        for change in changes {
            guard let status = change.status, status.kind != .directory, status.links > 1 else { continue }
            groups[status.inode, default: []].append(change.path)
        }
        return groups.values.filter { $0.count > 1 }
    }
}

extension String {
    /// Whether a path is this one or lies in it.
    func isAtOrBelow(_ path: String) -> Bool {
        path == "/" || PathOrder.same(self, path) || utf8.starts(with: (path + "/").utf8)
    }
}

/// An own layer that is read when it is first asked for: most steps need none.
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
