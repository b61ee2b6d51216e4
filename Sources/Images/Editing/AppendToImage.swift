package import Basics
import Glibc
package import Layers
import Linux
import OCI
package import Stores

/// What `append` puts on top of an image.
package enum AppendedTree {
    /// A tar, packed in any way; `named` is how errors and the history call it.
    case archive(any ByteSource, named: String)
    /// A directory of the host: what is in it, root's.
    case directory(String)

    var name: String {
        switch self {
        case .archive(_, let name): name
        case .directory(let path): path
        }
    }
}

extension ImageEngine {
    /// Makes an image with one layer more: what a tar or a directory has, below `path`; `nil` for a trial.
    ///
    /// The tree is unpacked as `ADD` unpacks an archive: members keep their owners, links of the image on the way are
    /// followed inside of it, and nothing is written outside of it. What changes is told as notes before anything has a
    /// name.
    ///
    /// Throws `notFound` for an image that is not here, `invalid` for an empty archive, `corrupt` for a damaged one,
    /// `cancelled` when the operation is stopped, and what reading the files or writing to the store throws.
    package func append(
        _ tree: AppendedTree, to name: String, below path: String = "/", _ options: EditOptions,
        _ operation: OperationContext
    ) throws(ShaleError) -> Image? {
        let image = try editedImage(name)
        let name = Self.shownName(of: image, called: name)
        guard image.config.rootfs.diffIDs.count < ImageLimits.layers else {
            throw ShaleError(.unsupported, "\(name): max depth exceeded", cause: "it has \(ImageLimits.layers) layers")
        }
        let place = ImagePath.clean(path)
        let lowers = try lowerPaths(of: image)
        var isTold = false
        func accept(_ changes: [Change]) -> Bool {
            Self.tell(changes, of: tree.name, on: name, operation)
            isTold = true
            return !options.isTrial
        }
        let layer = try changing(lowers, operation, accepting: accept) { root throws(ShaleError) in
            let made = try unpack(tree, into: root, at: place, operation)
            try restoreTimes(of: made, in: root, above: lowers)
        }
        if !isTold { operation.note("\(name): \(tree.name) changes nothing") }
        if options.isTrial { return nil }
        var config = image.config
        config.created = editTime(of: image)
        let words = ["append", tree.name] + (place == "/" ? [] : ["--path", place])
        config.append(
            History(created: config.created, createdBy: words.joined(separator: " "), emptyLayer: layer == nil),
            layer: layer?.diffID)
        let provenance = Provenance(
            parent: image.id, base: try calledBase(of: image, named: name),
            origin: .edited(.append, text: "appended \(tree.name)" + (place == "/" ? "" : " below \(place)")))
        return try addEdited(
            config, image.manifest.layers + (layer.map { [$0.descriptor] } ?? []), parent: image.id,
            named: options.reference, made: provenance)
    }

    private static func tell(
        _ changes: [Change], of tree: String, on name: String, _ operation: OperationContext
    ) {
        let summary = StepSummary(changes, bytes: changes.contentBytes)
        operation.note(
            "\(name): \(tree) makes one layer: +\(summary.added) ~\(summary.changed) -\(summary.deleted), "
                + HumanUnits.size(summary.bytes))
        for path in summary.firstPaths { operation.note("  \(path)") }
    }

    private func unpack(
        _ tree: AppendedTree, into root: RootDirectory, at place: String, _ operation: OperationContext
    ) throws(ShaleError) -> [LayerEntry] {
        var options = TreeArchive.UnpackOptions()
        options.keepsTop = true
        switch tree {
        case .archive(let source, let name):
            let unpacked = try TreeArchive.unpack(
                source, into: root, at: place, subject: name, options: options, cancellation: operation.cancellation)
            guard unpacked.size > 0 else { throw ShaleError(.invalid, "\(name): the archive is empty") }
            return unpacked.entries
        case .directory(let path):
            let packed = try packed(path, operation.cancellation)
            defer { packed.abandon(keepingPartial: false) }
            return try TreeArchive.unpack(
                FDSource(packed.openForReading(), subject: path), into: root, at: place, subject: path,
                options: options, cancellation: operation.cancellation
            ).entries
        }
    }

    /// Restores the times of image directories that got a new entry, so that the same tree gives the same layer.
    private func restoreTimes(
        of made: [LayerEntry], in root: RootDirectory, above lowers: [String]
    ) throws(ShaleError) {
        let tree = MergedTree(layers: try directories(lowers), form: form)
        var seen = Set(made.map { PathKey($0.path) })
        for entry in made {
            let parent = entry.path.parentPath
            guard parent != "/", seen.insert(PathKey(parent)).inserted,
                let old = try tree.entry(parent, followingLinks: false)
            else { continue }
            try translating(parent) { try root.directory(parent).setTimes(old.status.modified) }
        }
    }

    /// A directory of the host as a tar, everything in it root's.
    private func packed(_ path: String, _ cancellation: Cancellation) throws(ShaleError) -> BlobIngest {
        let tree = MergedTree(layers: [try open(path)], form: form)
        let ingest = try store.blobs.newIngest()
        do throws(ShaleError) {
            _ = try TreeArchive.pack(
                tree, options: TreeArchive.PackOptions(owner: (0, 0)), cancellation: cancellation
            ) { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in try ingest.append(bytes) }
        } catch {
            ingest.abandon(keepingPartial: false)
            throw error
        }
        return ingest
    }
}
