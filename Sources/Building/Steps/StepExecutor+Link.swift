import Basics
import Containers
import Images
import OCI
import Stores

// `COPY --link` and `ADD --link`: a layer made by itself, as on an empty image, and put on whatever lies below.
//
// Nothing of the image below is read: directories are made again, links in it are not followed, and its user names are
// not known. So the layer is the same on every base, and is found again when an earlier step changed.
extension StepExecutor {
    /// What a linked copy is found by: what it copies, as whom and where to, and nothing of the image below.
    static func linkKey(_ comment: String, _ placement: FilePlacement) -> Digest {
        let owners = placement.keepsOwners ? "kept" : "set"
        return BuildCache.key(
            parent: BuildCache.anyParent, step: "\(comment)\n\(placement.destination)\nowners \(owners)")
    }

    /// Puts a layer that a linked copy made before on the stage's image; `nil` where there is none, or where the step
    /// is none.
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

    /// The layer of a linked copy, kept from collection; `nil` when it made none, or is not here any more.
    private func madeBefore(_ record: BuildCache.Record) throws(ShaleError) -> StepLayer? {
        guard let image = try? engine.store.images.image(record.image),
            image.config.history?.last?.emptyLayer != true, let diffID = image.config.rootfs.diffIDs.last,
            let blob = image.manifest.layers.last,
            try engine.store.layers.claim(diffID, on: nil)
        else { return nil }
        return StepLayer(descriptor: blob, diffID: diffID, summary: record.summary)
    }

    /// An owner for a linked copy.
    ///
    /// Throws BuildKit's words for a name: there is no `/etc/passwd` to look it up in.
    static func linkedOwner(_ text: String) throws(ShaleError) -> TreeCopyOptions.Owner {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt32($0) }
        guard numbers.count == parts.count, let uid = numbers.first else {
            throw ShaleError(
                .invalid,
                "invalid user index: -1: --link reads no /etc/passwd, so --chown=\(text.visible) needs numbers",
                hint: "--chown=1000:1000, or leave --link away")
        }
        return TreeCopyOptions.Owner(uid: uid, gid: numbers.count > 1 ? numbers[1] : uid)
    }
}
