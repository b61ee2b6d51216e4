package import Basics
import Dockerfiles
import Layers
import Linux
package import OCI
package import Stores

/// Writes the recipe of an image from how it came to be: step by step down to the image that came whole.
package struct RecipeMaker {
    private let engine: Engine
    private var recipe = Recipe()
    /// Paths beside the Dockerfile that are taken, and by which file of which image.
    private var taken: [String: String] = [:]

    package init(_ engine: Engine) { self.engine = engine }

    /// The recipe of an image.
    ///
    /// `calledBase` is what the image it begins with was called, where no step has noted it.
    package static func recipe(
        of image: Image, calledBase: String? = nil, engine: Engine
    ) throws(ShaleError) -> Recipe {
        var maker = RecipeMaker(engine)
        try maker.write(image, calledBase: calledBase)
        return maker.recipe
    }

    private mutating func write(_ image: Image, calledBase: String?) throws(ShaleError) {
        let (chain, base) = try self.chain(to: image)
        try writeBase(base, name: chain.first?.provenance.base ?? calledBase)
        for (number, link) in chain.enumerated() {
            switch link.provenance.origin {
            case .step(let instruction, let copied):
                try writeStep(number + 1, instruction, copied, image: link.image)
            case .commit(let container, let name, let command, let changes, let deeds):
                let parent = try link.provenance.parent.map { id throws(ShaleError) in try engine.store.images.image(id)
                }
                try writeCommit(
                    number + 1,
                    CommitStory(container: container, name: name, command: command, changes: changes, deeds: deeds),
                    image: link.image, parent: parent)
            case .typed(let line):
                recipe.lines.append(.comment("typed at the terminal: \(line)\nwhat it changed is kept file by file"))
                try addChanges(number + 1, image: link.image, parent: link.provenance.parent)
            case .imported(let source):
                recipe.lines.append(.comment("imported from \(source)"))
                addLayer(number + 1, image: link.image, leavingOut: [])
                recipe.lines += ConfigInstructions.lines(from: ContainerConfig(), to: link.image.containerConfig)
                    .map { .instruction($0) }
            }
        }
    }

    private struct Link {
        let image: Image
        let provenance: Provenance
    }

    /// The images made here, lowest first, and the one that came whole below them.
    private func chain(to image: Image) throws(ShaleError) -> ([Link], Image?) {
        var links: [Link] = []
        var next: Image? = image
        while let current = next, let provenance = engine.provenance(of: current.id) {
            links.append(Link(image: current, provenance: provenance))
            next = try provenance.parent.map { id throws(ShaleError) in try engine.store.images.image(id) }
        }
        return (links.reversed(), next)
    }

    private mutating func writeBase(_ base: Image?, name: String?) throws(ShaleError) {
        guard let base else {
            recipe.lines.append(.instruction("FROM scratch"))
            return
        }
        // The name it was called by, if that still means it; else one it has.
        let called = name.flatMap { name in
            (try? engine.store.images.id(of: name)) == base.id ? name : nil
        }
        if let name = called ?? base.references.first?.familiar ?? base.repoDigests.first?.familiar {
            recipe.lines.append(.instruction("FROM \(name)"))
            return
        }
        throw ShaleError(
            .notFound, "image \(base.id.short) has no name, and how it was made is not known",
            hint: "tag \(base.id.short) NAME")
    }

    // MARK: Steps

    private mutating func writeStep(
        _ number: Int, _ instruction: String, _ copied: [CopiedSource], image: Image
    ) throws(ShaleError) {
        guard let parsed = try? Instruction.parse(line: instruction) else {
            recipe.lines.append(.instruction(instruction))
            return
        }
        switch parsed.value {
        case .copy(let copy):
            try writeFiles(number, instruction, parsed, copy.files, from: copy.from, copied, image: image)
        case .add(let add):
            try writeFiles(number, instruction, parsed, add.files, from: nil, copied, image: image)
        case .env(let pairs):
            for pair in pairs where Secrets.isNamed(pair.key) { recipe.masked.append(pair.key) }
            recipe.lines.append(.instruction(instruction))
        default:
            recipe.lines.append(.instruction(instruction))
        }
    }

    private mutating func writeFiles(
        _ number: Int, _ instruction: String, _ parsed: Located<Instruction>, _ files: FileSources, from: String?,
        _ copied: [CopiedSource], image: Image
    ) throws(ShaleError) {
        // Only text of the Dockerfile's own: nothing lies beside it.
        if from == nil, files.paths.isEmpty {
            recipe.lines.append(.instruction(instruction))
            return
        }
        let isWhole = from == nil && copied.count == files.paths.count && copied.allSatisfy { $0.isKept }
        guard isWhole else {
            let why = from == nil ? "what it fetched or unpacked" : "files of another image"
            recipe.lines.append(.comment("\(instruction.firstLine)\n(\(why), kept as the layer they became)"))
            addLayer(number, image: image, leavingOut: [])
            return
        }
        var renamed: [String] = []
        for (index, source) in copied.enumerated() {
            renamed.append(
                attach(
                    source, number: number, index: index, of: copied.count, image: image, written: files.paths[index]))
        }
        recipe.lines.append(.instruction(rewritten(parsed, files, renamed)))
    }

    /// Puts a copied source beside the Dockerfile, under its own name where that is free.
    private mutating func attach(
        _ source: CopiedSource, number: Int, index: Int, of count: Int, image: Image, written: String
    ) -> String {
        if source.isDirectory {
            let path = count == 1 ? "step-\(number)" : "step-\(number)/\(index + 1)"
            recipe.attachments.append(
                .init(
                    path: path,
                    content: .tree(image: image.id, path: source.destination, entries: source.entries ?? [])))
            return path
        }
        // `COPY file /dir`: what was a directory already got the file in it.
        var destination = source.destination
        if let tree = try? engine.mountedTree(of: image),
            (try? tree.resolvedStatus(destination))?.kind == .directory
        {
            destination = destination.appendingPath(source.source.split(separator: "/").last.map(String.init) ?? "")
        }
        let owner = "\(image.id.hex) \(destination)"
        var path = source.source
        let isPlain = written == path || written == "./\(path)"
        if !isPlain || path == "Dockerfile" || path.hasPrefix("step-") || taken[path].map({ $0 != owner }) ?? false {
            path = "step-\(number)/\(source.source)"
        }
        taken[path] = owner
        recipe.attachments.append(
            .init(path: path, content: .file(image: image.id, path: destination, mode: source.mode)))
        return path
    }

    /// The instruction with other sources; as it was where they are the same.
    private func rewritten(_ parsed: Located<Instruction>, _ files: FileSources, _ sources: [String]) -> String {
        let isSame = zip(sources, files.paths).allSatisfy { $0 == $1 || "./\($0)" == $1 }
        if isSame, sources.count == files.paths.count { return parsed.text }
        let flags = parsed.original.split(separator: " ").dropFirst().prefix { $0.hasPrefix("--") }
        let words = sources.map { $0.hasSuffix("/") ? $0 : $0 } + [files.destination]
        let hasBlank = words.contains { $0.contains(" ") }
        let operands = hasBlank ? ConfigInstructions.array(words) : words.joined(separator: " ")
        return ([parsed.spelling] + flags.map(String.init) + [operands]).joined(separator: " ")
    }

    // MARK: Commits

    private struct CommitStory {
        var container: String
        var name: String
        var command: [String]
        var changes: [String]
        var deeds: [Deed]
    }

    private mutating func writeCommit(
        _ number: Int, _ story: CommitStory, image: Image, parent: Image?
    ) throws(ShaleError) {
        recipe.lines.append(.comment("committed from container \(story.name) (\(Identifier.short(story.container)))"))
        let layer = try self.layer(of: image, over: parent)
        var explained: Set<String> = []
        for deed in story.deeds where deed.kind == .copyIn {
            try writeCopyIn(number, deed, layer, &explained, image: image)
        }
        for deed in story.deeds where deed.kind == .exec && deed.exitCode == 0 && deed.isInteractive != true {
            recipe.lines.append(.comment("in it ran: \(deed.arguments.joined(separator: " "))"))
        }
        let rest = layer.filter { !explained.contains($0.path) && !$0.isPassage }
        let removed = rest.filter { $0.kind == .whiteout || $0.isOpaque }.map(\.path)
        if !rest.isEmpty {
            let command = story.command.joined(separator: " ")
            recipe.lines.append(
                .comment(
                    "its command was: \(command)\nwhat it changed is kept file by file; the lines typed are not known"))
            if !removed.isEmpty {
                recipe.lines.append(
                    .instruction("RUN \(ConfigInstructions.array(["rm", "-rf"] + removed))"))
            }
            if rest.contains(where: { $0.kind != .whiteout }) { addLayer(number, image: image, leavingOut: explained) }
        }
        recipe.lines += ConfigInstructions.lines(
            from: parent?.containerConfig ?? ContainerConfig(), to: image.containerConfig
        )
        .map { .instruction($0) }
    }

    /// `cp FILE CONTAINER:/path`: the files that landed, told apart by where they are.
    private mutating func writeCopyIn(
        _ number: Int, _ deed: Deed, _ layer: [LayerEntry], _ explained: inout Set<String>, image: Image
    ) throws(ShaleError) {
        guard let destination = deed.destination else { return }
        for source in deed.arguments {
            let name = source.split(separator: "/").last.map(String.init) ?? source
            let inside = destination.appendingPath(name)
            let target = layer.first { $0.path == inside } ?? layer.first { $0.path == ImagePath.clean(destination) }
            guard let target, target.kind == .file, target.uid == 0, target.gid == 0 else { continue }
            let copied = CopiedSource(
                source: name, destination: target.path, isDirectory: false, mode: target.mode & 0o7777)
            let path = attach(copied, number: number, index: 0, of: 1, image: image, written: name)
            recipe.lines.append(
                .instruction("COPY \(ConfigInstructions.quoted(path)) \(ConfigInstructions.quoted(target.path))"))
            explained.insert(target.path)
        }
    }

    /// All that an image's own layer did: what it deleted, then what it made.
    private mutating func addChanges(_ number: Int, image: Image, parent: Digest?) throws(ShaleError) {
        let below = try parent.map { id throws(ShaleError) in try engine.store.images.image(id) }
        let changes = try layer(of: image, over: below).filter { !$0.isPassage }
        let removed = changes.filter { $0.kind == .whiteout || $0.isOpaque }.map(\.path)
        if !removed.isEmpty {
            recipe.lines.append(.instruction("RUN \(ConfigInstructions.array(["rm", "-rf"] + removed))"))
        }
        if changes.contains(where: { $0.kind != .whiteout }) { addLayer(number, image: image, leavingOut: []) }
    }

    private mutating func addLayer(_ number: Int, image: Image, leavingOut: Set<String>) {
        let path = "step-\(number).tar"
        recipe.attachments.append(.init(path: path, content: .layer(image: image.id, leavingOut: leavingOut)))
        recipe.lines.append(.instruction("ADD \(path) /"))
    }

    /// The entries of an image's own top layer; none when it added none.
    private func layer(of image: Image, over parent: Image?) throws(ShaleError) -> [LayerEntry] {
        guard image.config.rootfs.diffIDs.count > (parent?.config.rootfs.diffIDs.count ?? 0),
            let (diffID, chain) = LayerStore.stack(of: image.config).last,
            let path = engine.store.layers.indexPath(diffID, on: chain)
        else { return [] }
        let index = try LayerIndex(reading: path)
        let parents = Set(index.entries.map { $0.path.parentPath })
        return index.entries.filter { $0.kind != .directory || !parents.contains($0.path) || $0.isOpaque }
    }
}

extension LayerEntry {
    /// A directory that is only there because something below it changed.
    fileprivate var isPassage: Bool { kind == .directory && isCopiedUp && !isOpaque }
}

extension CopiedSource {
    /// Whether the image holds it as it was copied: a file, or a directory whose entries are known.
    fileprivate var isKept: Bool { isUnpacked != true && (!isDirectory || entries != nil) }
}

extension String {
    fileprivate var firstLine: String { split(separator: "\n").first.map(String.init) ?? self }
}

/// Names that say their value is nobody's business.
package enum Secrets {
    package static func isNamed(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["pass", "token", "secret", "apikey", "api_key", "private_key"].contains { name.contains($0) }
    }
}
