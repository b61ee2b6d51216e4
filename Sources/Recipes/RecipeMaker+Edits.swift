import Basics
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

// Edits of an image (squash, config, append, rebase): no instruction does the same, so its files and settings are kept.
extension RecipeMaker {
    /// Writes an edit; returns false when neither instructions nor files can express it.
    mutating func writeEdit(_ link: Link, _ text: String) throws(ShaleError) -> Bool {
        guard let parent = link.parent else { return try writeSquashed(link, text) }
        let anew = ConfigInstructions.plan(from: ContainerConfig(), to: link.image.containerConfig)
        let unsaid = ConfigInstructions.plan(from: link.settings, to: link.image.containerConfig).unsaid
        let isAuthorGone = !(parent.config.author ?? "").isEmpty && (link.image.config.author ?? "").isEmpty
        if anew.unsaid.count < unsaid.count || isAuthorGone { return try writeAbove(parent, link, text) }
        lines.append(.comment(text))
        guard try keep(link, text) else { return false }
        if let author = link.image.config.author, !PathOrder.same(author, parent.config.author ?? "") {
            writeAuthor(author)
        }
        return try writeConfig(from: link.settings, to: link.image.containerConfig, of: link.image)
    }

    /// Writes a squash of all layers: all files of the original image, in one layer.
    private mutating func writeSquashed(_ link: Link, _ text: String) throws(ShaleError) -> Bool {
        let count = link.image.config.rootfs.diffIDs.count
        if count > 0, let from = link.provenance.from, !isInOneStage, try !needsTar(link),
            let stage = try stage(from, called: "squashed")
        {
            lines.append(.comment(text))
            lines.append(.instruction("COPY --from=\(stage) / /"))
        } else {
            lines.append(.comment(text))
            // With several layers the lower ones are not the image's own layer, so their files are not kept here.
            guard count < 2, try keep(link, text) else { return false }
        }
        if let author = link.image.config.author { writeAuthor(author) }
        return try writeConfig(from: ContainerConfig(), to: link.image.containerConfig, of: link.image)
    }

    private func needsTar(_ link: Link) throws(ShaleError) -> Bool {
        guard link.image.config.rootfs.diffIDs.count == 1, let layer = try link.layer else {
            return try engine.needsTar(link.image)
        }
        return layer.needsTar
    }

    /// Writes an image that lacks settings of its parent.
    ///
    /// The parent becomes a stage, and only its files are copied.
    private mutating func writeAbove(_ parent: Image, _ link: Link, _ text: String) throws(ShaleError) -> Bool {
        guard !isInOneStage, try !engine.needsTar(link.image), let stage = closeStage(of: parent) else { return false }
        lines.source = link.place
        beginOnNothing(as: link.image)
        lines.append(
            .comment("\(text)\n(no instruction takes a setting away: only the files are taken from the stage before)"))
        if !parent.config.rootfs.diffIDs.isEmpty { lines.append(.instruction("COPY --from=\(stage) / /")) }
        guard try keep(link, text) else { return false }
        if let author = link.image.config.author { writeAuthor(author) }
        return try writeConfig(from: ContainerConfig(), to: link.image.containerConfig, of: link.image)
    }
}

extension RecipeEngine {
    /// Whether an image has files that some builders do not copy unchanged from a stage.
    fileprivate func needsTar(_ image: Image) throws(ShaleError) -> Bool {
        let tree = try images.tree(of: image)
        var needsTar = false
        func isKnown(_ entry: TreeEntry) -> Bool { needsTar }
        try tree.walk("/", pruning: isKnown) { entry throws(ShaleError) in
            guard !needsTar, entry.path != "/" else { return }
            let attributes = try tree.attributes(of: entry)
            needsTar = entry.status.needsTar || !attributes.isEmpty
        }
        return needsTar
    }
}

extension OwnLayer {
    /// Whether the layer has files that some builders do not copy unchanged from a stage.
    fileprivate var needsTar: Bool {
        isDelicate(below: "/") || changes.contains { $0.status?.needsTar == true }
    }
}

extension FileStatus {
    /// Whether it is a file that runs with the rights of its owner or group.
    var hasSetIDBits: Bool { kind == .regular && permissions & 0o6000 != 0 }

    /// Whether it is a file with set-id bits or hard links, a device or a pipe.
    fileprivate var needsTar: Bool {
        switch kind {
        case .directory: false
        case .regular: hasSetIDBits || links > 1
        case .symlink: links > 1
        default: true
        }
    }
}
