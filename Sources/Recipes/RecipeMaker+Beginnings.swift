import Basics
import Containers
import Images
import Layers
import OCI
import Stores

// How a stage begins, and which programs its image must have for an instruction.
extension RecipeMaker {
    func from(_ image: Image, name: String?) -> String {
        if namesBasesAsCalled, let name, let called = try? Reference(parsing: name), called.digest == nil {
            return "FROM \(platformFlag(image))\(called.familiar)"
        }
        let called = engine.baseName(of: image, called: name)
        return "FROM \(platformFlag(image))\(isPinned ? Self.digested(image, called) ?? called : called)"
    }

    /// Writes `FROM`; a pinned one has the name, or why there is none by digest, in a comment above.
    mutating func writeFrom(_ image: Image, name: String?) {
        if isPinned {
            let called = engine.baseName(of: image, called: name)
            if Self.digested(image, called) == nil {
                lines.append(.comment("not pinned: \(called) came from no registry, so it has no digest there"))
            } else {
                lines.append(.comment(called))
            }
        }
        lines.append(.instruction(from(image, name: name)))
    }

    /// The reference of an image by its digest in the registry of its name, or in another one; `nil` when it came from
    /// none.
    private static func digested(_ image: Image, _ called: String) -> String? {
        let name = (try? Reference(parsing: called))?.name
        return (image.repoDigests.first { $0.name == name } ?? image.repoDigests.first)?.familiar
    }

    /// `--platform=… ` for an image of another platform than this machine's; otherwise empty.
    private func platformFlag(_ image: Image) -> String {
        let platform = image.config.platform.normalised
        return platform == Platform.host.normalised ? "" : "--platform=\(platform) "
    }

    /// Writes `FROM scratch`, with the image's platform.
    mutating func beginOnNothing(as image: Image?) {
        guard let image else { return lines.append(.instruction("FROM scratch")) }
        let flag = platformFlag(image)
        if !flag.isEmpty {
            lines.append(.comment("docker's builder before BuildKit makes it for its own processor all the same"))
        }
        lines.append(.instruction("FROM \(flag)scratch"))
    }

    /// Begins from scratch, with all files of an image or a container as a tar.
    mutating func beginWhole(_ image: Image, at place: Recipe.LayerOwner? = nil) throws(ShaleError) {
        number += 1
        beginOnNothing(as: image)
        if place != nil || !image.config.rootfs.diffIDs.isEmpty {
            recipe.attachments.append(.init(path: "step-\(number).tar", content: .whole(place ?? .image(image.id))))
            lines.append(.instruction("ADD step-\(number).tar /"))
        }
        if let author = image.config.author { writeAuthor(author) }
        let isOfContainer = if case .container = place { true } else { false }
        _ = try writeConfig(from: ContainerConfig(), to: image.containerConfig, of: isOfContainer ? nil : image)
    }

    /// Discards the lines of the stage and begins with the files of a link's image or container.
    mutating func beginAnew(_ link: Link) throws(ShaleError) {
        let what = if case .container = link.place { "the container" } else { "image \(link.image.id.short)" }
        lines.cut(at: 0)
        (declared, proxies) = ([], [:])
        lines.append(.comment("no instruction can say how \(what) was made: its files are kept as they are"))
        try beginWhole(link.image, at: link.place)
    }

    /// Writes `MAINTAINER`, or a comment when no instruction can hold the author.
    mutating func writeAuthor(_ author: String) {
        guard !author.isEmpty else { return }
        lines.append(
            ConfigInstructions.maintainer(author).map { .instruction($0) }
                ?? .comment("its author cannot be said in a Dockerfile: \(author)"))
    }

    // MARK: Programs

    /// The first of some programs that exists when the next line of a link runs: it is in the parent image and, after
    /// lines
    /// that changed files, the link did not change it.
    ///
    /// Throws what reading the parent's files throws.
    func program(_ paths: [String], for link: Link) throws(ShaleError) -> String? {
        guard let parent = link.parent else { return nil }
        let tree = try engine.images.tree(of: parent)
        let isChanged = (linkStart..<max(linkStart, lines.count)).contains {
            ["RUN", "COPY", "ADD"].contains(lines[$0].keyword)
        }
        let layer = isChanged ? try link.layer : nil
        for path in paths {
            guard let place = try tree.entry(path, followingLinks: true)?.path else { continue }
            if [path, place].allSatisfy({ layer?.touches($0) != true }) { return path }
        }
        return nil
    }

    /// The program that removes files: by name when every `PATH` of the link finds it, else by path.
    ///
    /// Throws what reading the parent's files throws.
    func removal(_ link: Link) throws(ShaleError) -> String? {
        guard let path = try program(["/bin/rm", "/usr/bin/rm"], for: link) else { return nil }
        let settings =
            [link.settings, link.image.containerConfig] + (link.provenance.facts.map { [$0.settings] } ?? [])
        let isFound = settings.allSatisfy { settings in
            guard let entry = settings.env?.last(where: { $0.hasPrefix("PATH=") }) else { return true }
            return entry.dropFirst(5).split(separator: ":").contains { $0 == path.parentPath }
        }
        return isFound ? "rm" : path
    }
}
