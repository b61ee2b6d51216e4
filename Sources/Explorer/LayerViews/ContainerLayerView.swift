import Basics
import Glibc
import Layers
import Linux

/// A container's changes, read from its upper directory.
final class ContainerLayerView: LayerView {
    private let root: RootDirectory
    private let form: OverlayForm
    private let tree: MergedTree

    init(_ root: RootDirectory, form: OverlayForm) {
        self.root = root
        self.form = form
        tree = MergedTree(layers: [root], form: form)
    }

    func entry(_ path: String) throws(ShaleError) -> LayerEntry? {
        do throws(SystemCallError) {
            if path == "/" { return try described(path, FileStatus.of(root.descriptor), in: root.descriptor, ".") }
            let parent: OwnedFD
            do throws(SystemCallError) {
                parent = try root.directory(path.parentPath)
            } catch {
                // Nothing was written there, or a parent is no directory any more, which the parent's own entry shows.
                if [ENOENT, ENOTDIR, ELOOP].contains(error.errno) { return nil }
                throw error
            }
            guard let status = try parent.statusIfPresent(path.lastPathComponent) else { return nil }
            return try described(path, status, in: parent, path.lastPathComponent)
        } catch {
            throw error.shaleError(path)
        }
    }

    func children(of directory: String) throws(ShaleError) -> [LayerEntry] {
        do throws(SystemCallError) {
            let here = try root.directory(directory)
            var found: [LayerEntry] = []
            for (name, status) in try DirectoryEntries.list(here) {
                found.append(try described(directory.appendingPath(name), status, in: here, name))
            }
            return found
        } catch {
            throw error.shaleError(directory)
        }
    }

    private func described(
        _ path: String, _ status: FileStatus, in directory: borrowing OwnedFD, _ name: String
    ) throws(SystemCallError) -> LayerEntry {
        let link = status.kind == .symlink ? try directory.readLink(name) : ""
        var entry = LayerEntry(path: path, status: status, link: link, attributes: [])
        if status.kind == .directory {
            entry.isOpaque =
                try ExtendedAttributes.value(form.xattrName("opaque"), of: name, in: directory) == [UInt8(ascii: "y")]
        }
        return entry
    }

    func file(_ entry: LayerEntry) throws(ShaleError) -> LayerViewFile {
        guard let status = try status(entry.path) else { return LayerViewFile(entry: entry) }
        let isShared = status.kind == .regular && status.links > 1
        return LayerViewFile(
            entry: entry, names: status.links, identity: isShared ? "\(status.device):\(status.inode)" : nil,
            isSocket: status.kind == .socket)
    }

    private func status(_ path: String) throws(ShaleError) -> FileStatus? {
        try tree.entry(path, followingLinks: false)?.status
    }

    func attributes(_ entry: LayerEntry) throws(ShaleError) -> [ExtendedAttribute] {
        guard let found = try tree.entry(entry.path, followingLinks: false) else { return [] }
        return try tree.attributes(of: found)
    }
}
