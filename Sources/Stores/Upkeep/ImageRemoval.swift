package import Basics
package import OCI

/// The steps of `rmi` for one argument, by docker's rules.
///
/// They are decided before anything is changed.
package struct ImageRemoval: Sendable, Hashable {
    /// One step.
    package enum Step: Sendable, Hashable {
        /// Remove a name.
        case untag(Reference)
        /// Remove an image that has no name any more.
        case delete(Digest)
        /// Remove an index whose image has other entries.
        case deleteIndex(Digest)
    }

    package private(set) var steps: [Step] = []

    /// The images that are removed.
    var deleted: [Digest] { steps.compactMap { step in if case .delete(let id) = step { id } else { nil } } }

    /// Plans the removal for one argument: a name, or an ID or its beginning.
    ///
    /// Of an image with several names only the name is removed. With the last name the image is removed, and its
    /// parents that have no name and no other use. With `force` other names and stopped containers do not matter, but
    /// child images and running containers do. Throws `notFound`, or `conflict` in docker's wording.
    package static func plan(
        _ text: String, in table: ImageTable, uses: [ImageUse], force: Bool = false, pruningParents: Bool = true
    ) throws(ShaleError) -> ImageRemoval {
        let entry = try ImageStore.entry(of: text, in: table)
        guard let id = entry.image else { throw ImageStore.noSuchImage(text) }
        var decision = Decision(table: table, uses: uses)
        if let index = decision.indexAlone(text, entry) {
            try decision.delete(index: index, force: force)
            return ImageRemoval(steps: decision.steps)
        }
        let names = decision.references(of: id)
        var isUntagged = false
        if let reference = decision.name(text, of: id) {
            if !force, isSingle(names), let use = uses.first(where: { $0.image == id }) {
                throw ShaleError(
                    .conflict,
                    "conflict: unable to remove repository reference \"\(text)\" (must force) - container "
                        + "\(Identifier.short(use.container)) is using its referenced image \(id.short)",
                    hint: "rm \(Identifier.short(use.container))")
            }
            decision.untag(reference, of: id)
            if !decision.references(of: id).isEmpty { return ImageRemoval(steps: decision.steps) }
            isUntagged = true
        } else if isSingle(names) {
            if let conflict = decision.conflict(id, ignoringNames: true, force: force) { throw conflict.error(id) }
            for name in names { decision.untagOnly(name, of: id) }
        }
        try decision.delete(id, force: force, pruningParents: pruningParents, isQuiet: isUntagged)
        return ImageRemoval(steps: decision.steps)
    }

    /// Plans `prune`: all images without a name that have no child image and no container.
    package static func planPrune(in table: ImageTable, uses: [ImageUse], all: Bool = false) -> ImageRemoval {
        var decision = Decision(table: table, uses: uses)
        let used = Set(uses.map(\.image))
        var isGoing = true
        // The removal of an image can leave its parent without a child.
        while isGoing {
            isGoing = false
            for image in ImageSummary.all(in: decision.table) where !used.contains(image.id) && !image.hasChildren {
                guard all || image.isDangling else { continue }
                for name in decision.references(of: image.id) { decision.untagOnly(name, of: image.id) }
                decision.drop(image.id)
                isGoing = true
            }
        }
        return ImageRemoval(steps: decision.steps)
    }

    /// Whether there is at most one tag, and no digest of another repository.
    private static func isSingle(_ names: [Reference]) -> Bool {
        if names.count <= 1 { return true }
        let tags = names.filter { $0.digest == nil }
        guard tags.count <= 1, let single = tags.first ?? names.first else { return false }
        let repositories = Set(names.filter { $0.digest != nil }.map(\.name))
        return repositories == [single.name]
    }
}

/// The use of an image by a container.
package struct ImageUse: Sendable, Hashable {
    package var container: String
    package var image: Digest
    package var isRunning: Bool

    package init(container: String, image: Digest, isRunning: Bool) {
        self.container = container
        self.image = image
        self.isRunning = isRunning
    }
}

/// A plan in progress, with the table as it will be after the steps so far.
private struct Decision {
    struct Conflict {
        var isHard: Bool
        var isUse: Bool
        var words: String

        func error(_ id: Digest) -> ShaleError {
            ShaleError(
                .conflict,
                "conflict: unable to delete \(id.short) (\(isHard ? "cannot be forced" : "must be forced")) - \(words)")
        }
    }

    var table: ImageTable
    var uses: [ImageUse]
    var steps: [ImageRemoval.Step] = []

    init(table: ImageTable, uses: [ImageUse]) {
        self.table = table
        self.uses = uses
    }

    /// The tags and the references by digest, as in docker's reference store.
    func references(of id: Digest) -> [Reference] {
        let entries = table.entries(of: id)
        return entries.compactMap(\.name).sorted { $0.description < $1.description } + pinned(entries)
    }

    /// The name in a text; `nil` when the text is the image's ID or its beginning.
    func name(_ text: String, of id: Digest) -> Reference? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard let reference = try? Reference(parsing: text), let entry = table.entry(named: reference),
            entry.image == id
        else { return nil }
        // As with docker, a tag that looks like the ID counts as the ID.
        if id.hex.hasPrefix(digits) || id.description.hasPrefix(text) { return nil }
        return reference.digest == nil ? reference.withDefaultTag : reference.forPulling
    }

    /// The index that a text names by its digest, when the index's noted image has entries of its own.
    func indexAlone(_ text: String, _ entry: ImageEntry) -> Digest? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard entry.isIndex, let image = entry.image, entry.manifest.digest.hex.hasPrefix(digits),
            !image.hex.hasPrefix(digits),
            table.entries(of: image).contains(where: { $0.manifest.digest != entry.manifest.digest })
        else { return nil }
        return entry.manifest.digest
    }

    /// Removes an index with its names.
    ///
    /// Several names need `force`.
    mutating func delete(index: Digest, force: Bool) throws(ShaleError) {
        let names = table.entries.filter { $0.isIndex && $0.manifest.digest == index }.compactMap(\.name)
        if names.count > 1, !force {
            throw Conflict(isHard: false, isUse: false, words: "image is referenced in multiple repositories")
                .error(index)
        }
        for name in names { steps.append(.untag(name)) }
        steps.append(.deleteIndex(index))
        for step in steps { ImageRemoval.apply(step, of: nil, to: &table) }
    }

    /// Removes a name, and with the last tag of a repository also its references by digest.
    mutating func untag(_ reference: Reference, of id: Digest) {
        untagOnly(reference, of: id)
        guard reference.digest == nil else { return }
        let rest = references(of: id).filter { $0.name == reference.name }
        guard !rest.contains(where: { $0.digest == nil }) else { return }
        for name in rest { untagOnly(name, of: id) }
    }

    mutating func untagOnly(_ reference: Reference, of id: Digest) {
        steps.append(.untag(reference))
        ImageRemoval.apply(.untag(reference), of: id, to: &table)
    }

    mutating func drop(_ id: Digest) {
        steps.append(.delete(id))
        table.removeImage(id)
    }

    mutating func delete(
        _ id: Digest, force: Bool, pruningParents: Bool, isQuiet: Bool
    ) throws(ShaleError) {
        if let conflict = conflict(id, ignoringNames: false, force: force) {
            let isDangling = references(of: id).isEmpty && !hasChildren(id)
            if isQuiet, !isDangling || conflict.isUse { return }
            throw conflict.error(id)
        }
        let entries = table.entries(of: id)
        let below =
            Set(entries.flatMap { $0.members ?? [] }).subtracting([id]).sorted()
            + entries.compactMap(\.parent).prefix(1)
        for name in references(of: id) { untagOnly(name, of: id) }
        drop(id)
        guard pruningParents else { return }
        for image in below where !table.entries(of: image).isEmpty {
            try delete(image, force: false, pruningParents: true, isQuiet: true)
        }
    }

    /// What prevents the removal.
    ///
    /// With `force` only child images and running containers do.
    func conflict(_ id: Digest, ignoringNames: Bool, force: Bool) -> Conflict? {
        if hasChildren(id) { return Conflict(isHard: true, isUse: false, words: "image has dependent child images") }
        if let use = uses.first(where: { $0.image == id && $0.isRunning }) {
            let words = "image is being used by running container \(Identifier.short(use.container))"
            return Conflict(isHard: true, isUse: true, words: words)
        }
        if force { return nil }
        if !ignoringNames, !references(of: id).isEmpty {
            return Conflict(isHard: false, isUse: false, words: "image is referenced in multiple repositories")
        }
        if let use = uses.first(where: { $0.image == id }) {
            let words = "image is being used by stopped container \(Identifier.short(use.container))"
            return Conflict(isHard: false, isUse: true, words: words)
        }
        return nil
    }

    /// Whether another image was built on this image, or on another platform of an index that is removed with it.
    private func hasChildren(_ id: Digest) -> Bool {
        let platforms = table.entries(of: id).flatMap { $0.isIndex ? $0.members ?? [] : [] }
        let own = Set(platforms).union([id])
        return table.entries.contains { entry in
            guard let image = entry.image, !own.contains(image) else { return false }
            return entry.parent.map(own.contains) ?? false || (entry.members ?? []).contains(id)
        }
    }

    private func pinned(_ entries: [ImageEntry]) -> [Reference] {
        Set(entries.flatMap(\.repoDigests)).sorted { $0.description < $1.description }
    }
}

extension ImageRemoval {
    /// Applies one step to a table.
    static func apply(_ step: Step, of id: Digest?, to table: inout ImageTable) {
        switch step {
        case .delete(let image): table.removeImage(image)
        case .deleteIndex(let digest): table.removeIndex(digest)
        case .untag(let reference):
            if reference.digest == nil {
                table.removeName(reference)
            } else if let id = id ?? table.entry(named: reference)?.image {
                table.removeRepoDigests(of: id) { $0 == reference }
            }
        }
    }
}
