import Basics
import Containers
import Images
import OCI
import Stores

// `COPY --link` and `ADD --link`: a layer that is made as on an empty image, and put on any image.
//
// Nothing of the image below is read: directories are made again, links in it are not followed, and its user names are
// unknown. So the layer is the same on every base, and is found in the cache even after an earlier step changed.
extension StepExecutor {
    /// The cache key of a linked copy: what it copies, the owner, and the destination, but nothing of the image below.
    static func linkKey(_ comment: String, _ placement: FilePlacement, _ engine: BuildEngine) -> Digest {
        let owners = placement.keepsOwners ? "kept" : "set"
        return BuildCache.key(
            parent: BuildCache.anyParent,
            step: "\(comment)\n\(placement.destination)\nowners \(owners)\(epochKey(engine))")
    }

    /// Puts the layer of an earlier linked copy on the stage's image; `nil` when there is none or the step is no linked
    /// copy.
    func relink(
        _ createdBy: String, instruction: String, files: PathLines, copied: [CopiedSource],
        on state: inout StageState
    ) throws(ShaleError) -> InstructionResult? {
        guard options.usesCache, let linkKey else { return nil }
        let record = cache.find(linkKey)
        let layer = try record.flatMap { record throws(ShaleError) in try madeBefore(record) } ?? linkedLayer(linkKey)
        guard layer != nil || record?.summary.isEmpty ?? false else { return nil }
        announceHit()
        let wasFresh = state.isFresh
        var result = try finish(
            createdBy, instruction: instruction, layer: layer, files: files, copied: copied, on: &state)
        state.isFresh = wasFresh
        result.wasCached = true
        return result
    }

    /// The layer of an earlier linked copy, claimed so that it is not collected; `nil` when it had none or it was
    /// removed.
    private func madeBefore(_ record: BuildCache.Record) throws(ShaleError) -> StepLayer? {
        guard let image = try? engine.store.images.image(record.image),
            image.config.history?.last?.emptyLayer != true, let diffID = image.config.rootfs.diffIDs.last,
            let blob = image.manifest.layers.last,
            try engine.store.layers.claim(diffID, on: nil)
        else { return nil }
        return StepLayer(descriptor: blob, diffID: diffID, summary: record.summary)
    }

    /// The owner for a linked copy.
    ///
    /// Throws `invalid`, in BuildKit's wording, for a name: there is no `/etc/passwd` in which to look it up.
    static func linkedOwner(_ text: String) throws(ShaleError) -> TreeCopyOptions.Owner {
        guard let owner = TreeCopyOptions.Owner(numbers: text) else {
            throw ShaleError(
                .invalid,
                "invalid user index: -1: --link reads no /etc/passwd, so --chown=\(text.visible) needs numbers",
                hint: "--chown=1000:1000, or leave --link away")
        }
        return owner
    }
}

extension TreeCopyOptions.Owner {
    /// Reads `UID[:GID]`; `nil` when it has a name.
    ///
    /// Without a group it has the user's number.
    init?(numbers text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt32($0) }
        guard numbers.count == parts.count, let uid = numbers.first else { return nil }
        self.init(uid: uid, gid: numbers.count > 1 ? numbers[1] : uid)
    }
}
