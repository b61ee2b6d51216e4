package import Basics
import Glibc
import Layers
import Linux
import OCI
package import Stores

/// What a recipe is about: an image, or a container as it is now.
package enum RecipeSubject: Sendable {
    case image(Image)
    case container(ContainerRecord)
}

/// One thing that came out otherwise than in the original.
package struct RecipeDifference: Sendable, Hashable {
    /// A path, or `config` for the settings.
    package var subject: String
    /// What differs, in words.
    package var what: String
    /// The instruction that made it so, with its line in the recipe where it is one of the recipe's.
    package var step: String?
    /// Counted from 1.
    package var line: Int?
}

extension Engine {
    /// Makes an image again from its recipe, without the cache and without a name, and says what came out otherwise.
    ///
    /// Compared are each path's type, mode, owner, size, content, link and attributes, and the config; not times.
    /// Nothing is left behind, also when it fails or is interrupted. Throws what building throws: a recipe that cannot
    /// be carried out is no recipe.
    package func verify(
        _ recipe: Recipe, of subject: RecipeSubject, _ talk: Conversation
    ) throws(ShaleError) -> [RecipeDifference] {
        let scratch = try ScratchFolder(in: store)
        let folder = "\(scratch.path)/recipe"
        _ = try RecipeFolder(folder, engine: self).save(recipe, talk.cancellation)
        var request = BuildRequest(source: .directory(folder))
        request.steps.usesCache = false
        request.steps.fillsCache = false
        // What sessions hold is known, too, and stays as it is.
        let held = try store.images.heldTable().entries.compactMap(\.image)
        let known = Set(try store.images.all(includingIntermediate: true).map(\.id) + held)
        let prepared = try PreparedBuild(request, engine: self, talk)
        let builder = try Builder(prepared, engine: self, request: request, talk)
        defer {
            for id in builder.made.reversed() where !known.contains(id) { discardImage(id) }
            if let container = builder.failedContainer { try? store.containers.remove(container) }
        }
        let rebuilt = try builder.run()
        return try Comparison(recipe, of: subject, against: rebuilt, engine: self).differences(talk.cancellation)
    }

    /// The layers that steps made here added to an image, topmost first, each with what added it.
    fileprivate func madeLayers(of image: Image) -> [MadeLayer] {
        var found: [MadeLayer] = []
        var next: Image? = image
        while let current = next, let provenance = provenance(of: current.id) {
            let parent = provenance.parent.flatMap { try? store.images.image($0) }
            if current.config.rootfs.diffIDs.count > (parent?.config.rootfs.diffIDs.count ?? 0),
                let (diffID, chain) = LayerStore.stack(of: current.config).last,
                let path = store.layers.indexPath(diffID, on: chain), let index = try? LayerIndex(reading: path)
            {
                found.append(MadeLayer(by: provenance.origin.words, index: index))
            }
            next = parent
        }
        return found
    }
}

/// A layer and what added it.
private struct MadeLayer {
    let by: String
    let index: LayerIndex

    /// Whether it made a path what it is: holds it, or removes it or a directory above it.
    func touches(_ path: String) -> Bool {
        if let entry = index[path], !entry.isCopiedUp { return true }
        var above = path.parentPath
        while above != "/" {
            if let entry = index[above], entry.kind != .directory || entry.isOpaque { return true }
            above = above.parentPath
        }
        return false
    }

    init(by words: String, index: LayerIndex) {
        by = words
        self.index = index
    }
}

extension Provenance.Origin {
    /// What did it, on one line.
    fileprivate var words: String {
        switch self {
        case .step(let instruction, _): instruction
        case .commit(_, let name, _, _, _): "commit of container \(name)"
        case .typed(let line): "typed: \(line)"
        case .imported(let source): "import \(source)"
        }
    }
}

/// An original beside what its recipe made.
private struct Comparison {
    private let recipe: Recipe
    private let engine: Engine
    private let original: MergedTree
    private let settings: ContainerConfig
    private let author: String?
    private let ignored: Set<String>
    private let rebuilt: Image
    /// Of the original; the container's own name where it is one.
    private let layers: [MadeLayer]
    private let container: String?

    init(
        _ recipe: Recipe, of subject: RecipeSubject, against rebuilt: Image, engine: Engine
    ) throws(ShaleError) {
        self.recipe = recipe
        self.engine = engine
        self.rebuilt = rebuilt
        switch subject {
        case .image(let image):
            original = try engine.tree(of: image)
            settings = image.containerConfig
            author = image.config.author
            ignored = []
            layers = engine.madeLayers(of: image)
            container = nil
        case .container(let record):
            let base = try engine.store.images.image(manifest: record.manifest)
            let upper = try engine.open(engine.store.containers.folder(record.id).upper)
            original = MergedTree(layers: [upper] + (try engine.lowers(of: record)), form: engine.form)
            settings = engine.imageSettings(of: record, base: base)
            author = base.config.author
            ignored = engine.mountStubs(of: record)
            layers = engine.madeLayers(of: base)
            container = record.name
        }
    }

    func differences(_ cancellation: Cancellation) throws(ShaleError) -> [RecipeDifference] {
        let again = try engine.tree(of: rebuilt)
        let made = engine.madeLayers(of: rebuilt)
        let comparison = FileTreeComparison(original, again, comparingTimes: false)
        var found: [RecipeDifference] = []
        for difference in try comparison.differences(cancellation: cancellation) {
            let path = difference.path
            if difference.kind == .onlyLeft, ignored.contains(path) { continue }
            switch difference.kind {
            case .onlyLeft:
                let removed = made.first { $0.touches(path) }?.by
                let maker = container == nil ? layers.first { $0.touches(path) }?.by : "container \(container ?? "")"
                found.append(entry(path, "not made by the recipe", removed ?? maker))
            case .onlyRight:
                found.append(entry(path, "made by the recipe alone", made.first { $0.touches(path) }?.by))
            case .differs:
                let reasons = difference.reasons.map(\.rawValue).sorted().joined(separator: ", ")
                found.append(entry(path, reasons, made.first { $0.touches(path) }?.by))
            }
        }
        return found + configDifferences()
    }

    private func entry(_ subject: String, _ what: String, _ step: String?) -> RecipeDifference {
        var line: Int?
        if let step {
            var number = 1
            for candidate in recipe.lines {
                if case .instruction(let text) = candidate, text == step { line = number }
                number += candidate.text.split(separator: "\n", omittingEmptySubsequences: false).count
            }
        }
        return RecipeDifference(subject: subject, what: what, step: step, line: line)
    }

    private func configDifferences() -> [RecipeDifference] {
        var old = settings
        var new = rebuilt.containerConfig
        // Every builder gives an image without a PATH one: no Dockerfile can make one that has none.
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        if new.env?.first == path, !(old.env ?? []).contains(where: { $0.hasPrefix("PATH=") }) {
            old.env = [path] + (old.env ?? [])
        }
        var found: [RecipeDifference] = []
        // Their order means nothing, and a Dockerfile cannot put one before those it inherits.
        old.env = old.env?.sorted()
        new.env = new.env?.sorted()
        let members = (Self.members(old), Self.members(new))
        for name in Set(members.0.keys).union(members.1.keys).sorted() where members.0[name] != members.1[name] {
            let texts = (members.0[name] ?? "nothing", members.1[name] ?? "nothing")
            found.append(entry("config", "\(name) is \(texts.1) and was \(texts.0)", nil))
        }
        if (author ?? "") != (rebuilt.config.author ?? "") {
            found.append(entry("config", "author is \(rebuilt.config.author ?? "") and was \(author ?? "")", nil))
        }
        return found
    }

    /// Members with a value, as text.
    private static func members(_ config: ContainerConfig) -> [String: String] {
        guard let bytes = try? OCIDocument.encode(config),
            let document = try? JSONDocument(parsing: Array(bytes), naming: "config"),
            case .object(let members) = document
        else { return [:] }
        var texts: [String: String] = [:]
        for member in members {
            let text = member.value.text()
            if !["[]", "{}", "\"\"", "null", "0", "false"].contains(text) { texts[member.key] = text }
        }
        return texts
    }
}
