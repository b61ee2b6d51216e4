package import Basics
import Containers
import Dockerfiles
import Images
import Layers
import Linux
package import OCI
package import Stores

/// Writes the recipe of an image or a container from its provenance, step by step down to an image that was not made
/// here.
///
/// The recipe always makes the same files: a step whose instruction would not repeat its effect, or that only some
/// builders support, is kept as the files it made.
package struct RecipeMaker {
    let engine: RecipeEngine
    var recipe = Recipe()
    /// The lines of the current stage.
    var lines = StageLines()
    /// Build arguments in force in the stage.
    ///
    /// A step of another Dockerfile must not see them.
    var declared: Set<String> = []
    /// Of those, the proxy arguments that a build gave its `RUN`s without an `ARG`.
    var proxies: [String: String] = [:]
    /// The index of the current link's first line.
    var linkStart = 0
    /// Paths beside the Dockerfile that are in use, each with an identifier of its file.
    var taken: [PathKey: String] = [:]
    /// The names of finished stages, by their last image.
    private var stages: [Digest: String] = [:]
    /// Whether files of other stages are attached instead of written as stages: for forms without stages.
    private(set) var isInOneStage = false
    /// Whether bases are named by digest, and downloads of `ADD` by checksum.
    private(set) var isPinned = false
    /// Whether bases have the names by which they were called, also where those mean other images now.
    private(set) var namesBasesAsCalled = false
    /// The number of steps so far, in all stages.
    ///
    /// It is part of the attachments' names.
    var number = 0

    private init(_ engine: RecipeEngine) { self.engine = engine }

    /// Makes the recipe of an image.
    ///
    /// `calledBase` is the name of the base image when no step recorded it. With `inOneStage` the files of other stages
    /// are
    /// attached instead. With `basesAsCalled` a base has the name by which it was called, whatever that means now.
    ///
    /// Throws what reading the image, its parents and their layers throws.
    package static func recipe(
        of image: Image, calledBase: String? = nil, inOneStage: Bool = false, basesAsCalled: Bool = false,
        pinned: Bool = false, engine: RecipeEngine
    ) throws(ShaleError) -> Recipe {
        var maker = RecipeMaker(engine)
        maker.isInOneStage = inOneStage
        maker.namesBasesAsCalled = basesAsCalled
        maker.isPinned = pinned
        try maker.write(image, calledBase: calledBase)
        return maker.finished
    }

    /// Makes the recipe of a container in its current state, running or not.
    ///
    /// Nothing is committed.
    ///
    /// Throws what reading the container's changes, its image and that image's parents throws.
    package static func recipe(
        of container: ContainerRecord, inOneStage: Bool = false, basesAsCalled: Bool = false, pinned: Bool = false,
        engine: RecipeEngine
    ) throws(ShaleError) -> Recipe {
        var maker = RecipeMaker(engine)
        maker.isInOneStage = inOneStage
        maker.namesBasesAsCalled = basesAsCalled
        maker.isPinned = pinned
        let base = try engine.store.images.image(manifest: container.manifest)
        let layer = try OwnLayer(of: container, engine: engine)
        let story = engine.containers.story(of: container, above: base, changes: [])
        var next = base
        next.config.config = engine.imageSettings(of: container, base: base)
        try maker.write(
            base, calledBase: container.imageName,
            last: Link(
                image: next, parent: base, provenance: story, source: LazyLayer { () throws(ShaleError) in layer },
                place: .container(container.id)))
        return maker.finished
    }

    private var finished: Recipe {
        var recipe = recipe
        recipe.append(lines)
        return recipe
    }

    /// An image or container that was made here, with its parent.
    struct Link {
        let image: Image
        let parent: Image?
        let provenance: Provenance
        let source: LazyLayer
        let place: Recipe.LayerOwner
        /// The provenance of the links above it, which later steps' values are read from.
        var later: [Provenance] = []

        /// Whether the step made a layer.
        ///
        /// The layer itself is not read.
        var addsLayer: Bool {
            image.config.rootfs.diffIDs.count > (parent?.config.rootfs.diffIDs.count ?? 0)
        }

        /// The changes of the link; `nil` when it added no layer.
        var layer: OwnLayer? { get throws(ShaleError) { try source.read() } }

        /// The settings with which its instruction was carried out.
        var settings: ContainerConfig { parent?.containerConfig ?? ContainerConfig() }
    }

    private enum Base {
        case scratch
        /// It was not made here: pulled or loaded.
        case whole(Image)
        /// It was made here, and its parent is not in the store any more.
        case orphan(Image)
        /// It was made here, and its provenance is lost.
        case untold(Image)
    }

    private mutating func write(_ image: Image, calledBase: String?, last: Link? = nil) throws(ShaleError) {
        var (links, base) = try chain(to: image)
        if let last { links.append(last) }
        for index in links.indices { links[index].later = links[(index + 1)...].map(\.provenance) }
        let skipped = try begin(base, name: links.first?.provenance.base ?? calledBase, links)
        for link in links.prefix(skipped) { declare(link) }
        for link in links.dropFirst(skipped) {
            number += 1
            lines.source = link.place
            // Triggers that were carried out are steps of their own, and not in the config any more.
            let triggers = link.settings.onBuild ?? []
            if !triggers.isEmpty, (link.image.containerConfig.onBuild ?? []).count < triggers.count {
                lines.remove("ONBUILD")
            }
            let start = (lines: lines.count, attachments: recipe.attachments.count)
            linkStart = start.lines
            guard try !write(link) else {
                dropCommand(before: link)
                continue
            }
            lines.cut(at: start.lines)
            recipe.attachments.removeSubrange(start.attachments...)
            try beginAnew(link)
        }
    }

    /// Writes one link; returns false when no instruction can express it.
    private mutating func write(_ link: Link) throws(ShaleError) -> Bool {
        switch link.provenance.origin {
        case .step(let instruction, let copied): return try writeStep(link, instruction, copied)
        case .commit(let container, let name, let command, _, let events):
            return try writeContainer(
                link, Told(container: container, name: name, command: command, events: events))
        case .typed(let line):
            lines.append(.comment("typed at the terminal: \(line)\nwhat it changed is kept file by file"))
            guard try keep(link, "typed") else { return false }
            return try writeConfig(from: link.settings, to: link.image.containerConfig)
        case .lost: return false
        case .edited(_, let text): return try writeEdit(link, text)
        case .imported(let source):
            lines.append(.comment("imported from \(source)"))
            guard try keep(link, "imported") else { return false }
            return try writeConfig(from: ContainerConfig(), to: link.image.containerConfig, of: link.image)
        }
    }

    /// The images that were made here, lowest first, and the base below them.
    private func chain(to image: Image) throws(ShaleError) -> ([Link], Base) {
        var links: [Link] = []
        var next = image
        var seen: Set<Digest> = []
        while let provenance = try engine.images.provenance(of: next.id) {
            guard seen.insert(next.id).inserted else { throw provenance.turnsBack(next.id) }
            if case .lost = provenance.origin { return (links.reversed(), .untold(next)) }
            let parent = try engine.store.images.imageIfHere(provenance.parent)
            if provenance.parent != nil, parent == nil { return (links.reversed(), .orphan(next)) }
            links.append(
                Link(
                    image: next, parent: parent, provenance: provenance,
                    source: LazyLayer { [engine, next] () throws(ShaleError) in
                        try OwnLayer(of: next, over: parent, engine: engine)
                    }, place: .image(next.id)))
            guard let parent else { return (links.reversed(), .scratch) }
            next = parent
        }
        return (links.reversed(), .whole(next))
    }

    // MARK: Beginnings

    /// Writes `FROM`; returns the number of links that `FROM` itself carries out (ONBUILD triggers).
    private mutating func begin(_ base: Base, name: String?, _ links: [Link]) throws(ShaleError) -> Int {
        switch base {
        case .scratch: beginOnNothing(as: links.first?.image)
        case .orphan(let image):
            lines.append(
                .comment("what image \(image.id.short) was made from is not here any more: its files are kept"))
            try beginWhole(image)
        case .untold(let image):
            lines.append(
                .comment("the record of how image \(image.id.short) was made is lost: its files are kept"))
            try beginWhole(image)
        case .whole(let image):
            let triggers = image.containerConfig.onBuild ?? []
            if triggers.isEmpty {
                writeFrom(image, name: name)
                return 0
            }
            let carriedOut = links.prefix(triggers.count).map { link in
                if case .step(let instruction, _) = link.provenance.origin { instruction } else { "" }
            }
            var areAttached = carriedOut == triggers
            for link in links.prefix(triggers.count) where areAttached { areAttached = try attachInPlace(link) }
            guard areAttached else {
                lines.append(.comment("\(from(image, name: name))\n(its ONBUILD triggers were not carried out here)"))
                try beginWhole(image)
                return 0
            }
            writeFrom(image, name: name)
            lines.append(.comment("carries out: \(triggers.joined(separator: "; "))"))
            return triggers.count
        }
        return 0
    }

    /// The name of the stage that ends with an image, written when it is first needed; `nil` when the image is not
    /// here.
    mutating func stage(_ id: Digest, called name: String) throws(ShaleError) -> String? {
        if let known = stages[id] { return known }
        guard let image = try engine.store.images.imageIfHere(id) else { return nil }
        if try engine.images.provenance(of: id) == nil {
            let name = from(image, name: name).split(separator: " ").last.map(String.init)
            return name?.hasPrefix("sha256:") == true ? nil : name
        }
        let outer = (lines, declared, proxies, linkStart)
        lines = StageLines()
        (declared, proxies) = ([], [:])
        try write(image, calledBase: nil)
        var alias = name
        let isPlain = name.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_.".utf8.contains($0) }
        if !isPlain || name.first?.isLetter != true || stages.values.contains(name) {
            alias = "stage\(stages.count + 1)"
        }
        if let place = lines.firstIndex(of: "FROM") { lines[place] = .instruction("\(lines[place].text) AS \(alias)") }
        lines.append(.comment(""))
        recipe.append(lines)
        (lines, declared, proxies, linkStart) = outer
        stages[id] = alias
        return alias
    }

    /// Ends the current stage, which made `image`, and names it; returns `nil` when the stage has no `FROM`.
    mutating func closeStage(of image: Image) -> String? {
        guard let place = lines.firstIndex(of: "FROM") else { return nil }
        let name = "stage\(stages.count + 1)"
        stages[image.id] = name
        lines[place] = .instruction("\(lines[place].text) AS \(name)")
        lines.append(.comment(""))
        recipe.append(lines)
        lines = StageLines()
        (declared, proxies, linkStart) = ([], [:], 0)
        return name
    }

    // MARK: Pieces

    /// Writes the instructions that lead from one config to another, and a comment about settings that none can set.
    ///
    /// With `image`, the image of the new config, a comment also says which directory `WORKDIR` would create.
    mutating func writeConfig(
        from old: ContainerConfig, to new: ContainerConfig, of image: Image? = nil
    ) throws(ShaleError) -> Bool {
        let plan = ConfigInstructions.plan(from: old, to: new)
        if let image, let directory = new.workingDir, plan.lines.contains(where: { $0.hasPrefix("WORKDIR ") }),
            try engine.images.tree(of: image).entry(directory, followingLinks: true) == nil
        {
            lines.append(
                .comment("WORKDIR makes \(directory), which the image does not have: no instruction only sets it"))
            recipe.madeByWorkdir.append(directory)
        }
        if !plan.unsaid.isEmpty {
            lines.append(
                .comment(
                    "some settings cannot be said in a Dockerfile: \(plan.unsaid.joined(separator: ", "))\n"
                        + "(line breaks, a name or a member it has no word for, what was taken away)"
                ))
        }
        if plan.lines.contains(where: { $0.unicodeScalars.contains(where: OddByte.isOnPage) }) {
            lines.append(.comment("bytes that are no text: docker reads others in their place"))
        }
        lines += plan.lines.map { .instruction($0) }
        return true
    }

    /// Keeps a link's layer as files; returns false when something must be deleted and no program in the image can do
    /// it.
    mutating func keep(_ link: Link, _ why: String) throws(ShaleError) -> Bool {
        guard let layer = try link.layer else { return true }
        return try keep(layer.changes.filter { !$0.isParentOnly }, of: link, user: link.settings.user)
    }

    /// Deletes and adds paths of a link's layer.
    mutating func keep(_ changes: [Change], of link: Link, user: String?) throws(ShaleError) -> Bool {
        let removed = changes.filter { $0.kind == .deleted }.map(\.path)
        if !removed.isEmpty {
            // An instruction cannot name a file whose name is not valid UTF-8.
            guard let program = try removal(link), removed.allSatisfy({ !$0.utf8.contains(0xF4) }) else { return false }
            asRoot(user) { maker in
                maker.lines.append(.instruction("RUN \(ConfigInstructions.array([program, "-rf"] + removed))"))
            }
        }
        let added = changes.filter { $0.kind != .deleted && $0.status?.kind != .socket }.map(\.path)
        guard !added.isEmpty else { return true }
        var path = "step-\(number).tar"
        if recipe.attachments.contains(where: { $0.path == path }) {
            path = "step-\(number)-\(recipe.attachments.count + 1).tar"
        }
        recipe.attachments.append(.init(path: path, content: .tar(of: link.place, paths: added)))
        lines.append(.instruction("ADD \(path) /"))
        return true
    }

    /// Writes lines that need root, then restores the stage's user.
    mutating func asRoot(_ user: String?, _ body: (inout RecipeMaker) -> Void) {
        let isRoot = user.map { ["", "0", "root", "0:0", "root:root"].contains($0) } ?? true
        // By number, because the image may have no /etc/passwd with the name.
        if !isRoot { lines.append(.instruction("USER 0")) }
        body(&self)
        if !isRoot, let user { lines.append(.instruction("USER \(DockerfileWord.quoted(user))")) }
    }
}

extension RecipeEngine {
    /// The settings of the image that a container's recipe makes: the container's own, with the base image's command.
    package func imageSettings(of container: ContainerRecord, base: Image) -> ContainerConfig {
        var config = container.config
        config.env = config.env.map { $0.filter { $0.contains("=") } }
        config.onBuild = base.containerConfig.onBuild
        config.cmd = base.containerConfig.cmd
        config.entrypoint = base.containerConfig.entrypoint
        return config
    }
}
