package import Basics
import OCI
package import Stores

/// What `rebase` is told.
package struct RebaseRequest: Sendable {
    package var image: String
    /// The base it stands on; `nil` to look for it in what is known of the image.
    package var oldBase: String?
    package var newBase: String

    package init(image: String, oldBase: String?, newBase: String) {
        self.image = image
        self.oldBase = oldBase
        self.newBase = newBase
    }
}

extension ImageEngine {
    /// Puts the layers that an image adds to its base on another base; `nil` for a trial.
    ///
    /// Nothing is run: the layers stay as they are, and what the image changed of the old base's settings is kept. What
    /// is kept and what the new base has otherwise is told as notes first. A base that is not here is pulled.
    ///
    /// Throws `notFound` for an image that is not here or whose old base nothing tells, `conflict` for an image that
    /// does not stand on the old base, `unsupported` for bases of another platform, and what writing to the store
    /// throws.
    package func rebase(
        _ request: RebaseRequest, _ options: EditOptions, _ operation: OperationContext
    ) throws(ShaleError) -> Image? {
        let image = try editedImage(request.image)
        var request = request
        request.image = Self.shownName(of: image, called: request.image)
        let old = try oldBase(of: image, request, operation)
        try Self.check(image, named: request.image, standsOn: old)
        let new = try ensureImage(request.newBase, operation)
        try store.hold(new)
        let (its, theirs) = (image.config.platform.normalised, new.config.platform.normalised)
        guard its == theirs else {
            throw ShaleError(.unsupported, "\(request.newBase) is for \(theirs), \(request.image) for \(its)")
        }
        let count = old.image.config.rootfs.diffIDs.count
        let total = new.config.rootfs.diffIDs.count + image.config.rootfs.diffIDs.count - count
        guard total <= ImageLimits.layers else {
            throw ShaleError(.unsupported, "\(request.image): max depth exceeded", cause: "\(total) layers")
        }
        let merged = RebasedConfig(image.config, from: old.image.config, to: new.config)
        tell(image, old, new, request, merged, operation)
        if options.isTrial { return nil }
        return try add(image, above: count, of: old.image, on: new, request, merged.config, options, operation)
    }

    private struct OldBase {
        var name: String
        var image: Image
    }

    // MARK: The old base

    private func oldBase(
        of image: Image, _ request: RebaseRequest, _ operation: OperationContext
    ) throws(ShaleError) -> OldBase {
        if let name = request.oldBase { return OldBase(name: name, image: try ensureImage(name, operation)) }
        let chain = try ancestry(of: image)
        // Below may be steps of another Dockerfile, whose image this one's began with.
        let own = chain.reversed().prefix { $0.provenance.base == chain.last?.provenance.base }
        if let lowest = own.last, let base = lowest.parent {
            return OldBase(name: lowest.provenance.base ?? base.id.short, image: base)
        }
        let notes = image.manifest.annotations ?? [:]
        for key in ["org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"] {
            guard let name = notes[key] ?? image.containerConfig.labels?[key], !name.isEmpty,
                let base = try? self.image(named: name)
            else { continue }
            return OldBase(name: name, image: base)
        }
        throw ShaleError(
            .notFound, "\(request.image): nothing here tells what it was built on",
            hint: "rebase \(request.image) --old BASE --new \(request.newBase)")
    }

    /// Throws `conflict` unless all of a base's layers are the image's lowest ones.
    private static func check(_ image: Image, named name: String, standsOn base: OldBase) throws(ShaleError) {
        let (its, theirs) = (image.config.rootfs.diffIDs, base.image.config.rootfs.diffIDs)
        guard its.count >= theirs.count else {
            throw ShaleError(
                .conflict,
                "\(name) does not stand on \(base.name): it has \(its.count) layers, \(base.name) has \(theirs.count)",
                hint: "base \(name)")
        }
        for (position, pair) in zip(its, theirs).enumerated() where pair.0 != pair.1 {
            throw ShaleError(
                .conflict,
                "\(name) does not stand on \(base.name): layer \(position + 1) is \(pair.0.short), and "
                    + "\(pair.1.short) in \(base.name)", hint: "base \(name)")
        }
    }

    private func tell(
        _ image: Image, _ old: OldBase, _ new: Image, _ request: RebaseRequest, _ merged: RebasedConfig,
        _ operation: OperationContext
    ) {
        let kept = image.config.rootfs.diffIDs.count - old.image.config.rootfs.diffIDs.count
        operation.note(
            "\(request.image): \(kept) of its layers move from \(old.name) (\(old.image.id.short)) to "
                + "\(request.newBase) (\(new.id.short))")
        var before = image.config
        var after = before
        before.author = nil
        after.author = nil
        after.config = merged.config
        for change in SettingChange.all(from: before, to: after) { operation.note("  \(change.text)") }
        for conflict in merged.conflicts {
            operation.note(
                "  conflict: \(conflict.name) is \(conflict.offered) in \(request.newBase); the image keeps \(conflict.kept)"
            )
        }
        if let triggers = new.containerConfig.onBuild, !triggers.isEmpty {
            operation.note("  not carried out: ONBUILD \(triggers.joined(separator: "; ")) of \(request.newBase)")
        }
    }

    // MARK: The new image

    /// Adds an image for each layer that moves: a recipe knows no more than one layer of an image.
    private func add(
        _ image: Image, above count: Int, of old: Image, on new: Image, _ request: RebaseRequest,
        _ settings: ContainerConfig, _ options: EditOptions, _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        let base = Self.name(of: new, called: request.newBase)
        let steps = Self.steps(of: image.config, above: count, of: old.config)
        let last = steps.lastIndex { $0.layer != nil }
        try checkUnpacking(image, above: count, on: new, operation)
        var (config, layers, parent) = (new.config, new.manifest.layers, new.id)
        config.created = editTime(of: image)
        config.author = image.config.author ?? new.config.author
        for (number, step) in steps.enumerated() {
            let entry = step.history ?? History(created: image.config.created, createdBy: nil)
            config.append(entry, layer: step.layer.map { image.config.rootfs.diffIDs[$0] })
            guard let position = step.layer else { continue }
            layers.append(image.manifest.layers[position])
            guard number != last else { continue }
            let text = Self.words(entry, request)
            parent = try addEdited(
                config, layers, parent: parent,
                made: Provenance(parent: parent, base: base, origin: .edited(.rebase, text: text))
            ).id
        }
        config.config = settings
        let text = Self.words(last.flatMap { steps[$0].history }, request)
        return try addEdited(
            config, layers, parent: parent, named: options.reference,
            made: Provenance(parent: parent, base: base, origin: .edited(.rebase, text: text)))
    }

    /// What a layer that moved was made by, for its recipe.
    private static func words(_ entry: History?, _ request: RebaseRequest) -> String {
        let maker = InstructionText.instruction(entry?.createdBy ?? "")
        return "\(maker.isEmpty ? "its part" : maker)\n(of \(request.image), moved to \(request.newBase))"
    }

    /// Unpacks what depends on the base, before anything is made: a layer may link files that only the old one has.
    private func checkUnpacking(
        _ image: Image, above count: Int, on new: Image, _ operation: OperationContext
    ) throws(ShaleError) {
        var config = new.config
        config.rootfs.diffIDs += image.config.rootfs.diffIDs.dropFirst(count)
        try unpackMissingLayers(
            of: config, blobs: new.manifest.layers + image.manifest.layers.dropFirst(count), operation)
    }

    /// What an image's history tells beyond its base's.
    private static func steps(of config: ImageConfig, above count: Int, of base: ImageConfig) -> [ImageStep] {
        let (steps, below) = (config.steps, base.steps)
        let isContinued =
            steps.count >= below.count
            && zip(steps, below).allSatisfy { $0.layer == $1.layer && $0.history?.createdBy == $1.history?.createdBy }
        if isContinued { return Array(steps.dropFirst(below.count)) }
        let first = steps.firstIndex { ($0.layer ?? -1) >= count } ?? steps.count
        return Array(steps[first...])
    }
}
