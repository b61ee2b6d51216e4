import Basics
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

/// A step of a build, carried out or found, with what it is found by: what a shared cache is written from.
struct TakenStep: Sendable {
    var key: Digest
    var linkKey: Digest?
    var parent: Digest?
    var image: Image
    var summary: StepSummary

    /// As a shared cache says it.
    var shared: SharedSteps.Step {
        var layer: SharedSteps.Layer?
        if image.config.history?.last?.emptyLayer != true, let diffID = image.config.rootfs.diffIDs.last,
            let blob = image.manifest.layers.last
        {
            layer = SharedSteps.Layer(
                diffID: diffID,
                blob: Descriptor(mediaType: MediaType.oci(blob.mediaType), digest: blob.digest, size: blob.size))
        }
        return SharedSteps.Step(
            key: key, linkKey: linkKey, image: image.id, created: image.config.created ?? .epoch, layer: layer,
            summary: summary)
    }
}

extension StepExecutor {
    /// Takes a step over from a shared cache: its layer is brought, its config made here.
    ///
    /// The config must be the one that the cache says the step led to: an entry that stands under another step's key, or
    /// names another step's layer, leads elsewhere. `nil` where no cache has the step.
    func restore(
        _ createdBy: String, instruction: String, files: PathLines?, copied: [CopiedSource],
        on state: inout StageState
    ) -> InstructionResult? {
        guard options.usesCache, let caches = options.sharedCaches else { return nil }
        for found in caches.steps(key(createdBy, on: state)) {
            do throws(ShaleError) {
                let config = state.config(after: createdBy, layer: found.step.layer?.diffID, at: found.step.created)
                guard Digest.of(try OCIDocument.encode(config)) == found.step.image else {
                    throw ShaleError(.corrupt, "\(createdBy.visible): leads to another image than it says")
                }
                let layer = try bring(found, from: caches, on: state)
                var next = state
                var result = try finish(
                    createdBy, instruction: instruction, layer: layer, files: files, copied: copied,
                    moment: found.step.created, on: &next)
                announceHit()
                next.isFresh = false
                state = next
                result.wasCached = true
                return result
            } catch {
                // The check before the next step tells of a cancellation.
                if error.code == .cancelled { return nil }
                caches.markBroken(found, error)
            }
        }
        return nil
    }

    /// The layer of a linked copy that a shared cache holds; `nil` where none does.
    func linkedLayer(_ linkKey: Digest) -> StepLayer? {
        guard options.usesCache, let caches = options.sharedCaches else { return nil }
        for found in caches.linkedSteps(linkKey) where found.step.layer != nil {
            do throws(ShaleError) {
                return try bring(found, from: caches, on: nil)
            } catch {
                if error.code == .cancelled { return nil }
                caches.markBroken(found, error)
            }
        }
        return nil
    }

    /// Makes a cache's layer a layer of the store: its blob is proved by its digest, its tar by its diff ID.
    ///
    /// Without a stage below, one that depends on what lies below is refused.
    private func bring(
        _ found: SharedCaches.Found, from caches: SharedCaches, on state: StageState?
    ) throws(ShaleError) -> StepLayer? {
        guard let layer = found.step.layer else { return nil }
        let (store, blob) = (engine.store, layer.blob)
        guard layer.isPlain || [MediaType.ociLayerGzip, MediaType.ociLayerZstd].contains(blob.mediaType),
            blob.size >= 0
        else { throw ShaleError(.invalid, "blob \(blob.digest): it is no layer") }
        let parent = state.flatMap { Digest.chainID($0.config.rootfs.diffIDs) }
        let isUnpacked = try store.layers.claim(layer.diffID, on: parent)
        if try !store.blobs.claim(blob.digest) {
            let ingest = try store.blobs.ingest(expected: blob)
            if ingest.offset > 0 { try ingest.restart() }
            try caches.source(of: found).blob(blob, operation.cancellation) { bytes throws(ShaleError) in
                try ingest.append(bytes)
            }
            try ingest.commit()
        }
        // A packed blob may be of any layer: only unpacking it shows that it is of this one.
        if !isUnpacked || !layer.isPlain {
            let lowers = try state.map { state throws(ShaleError) in try engine.lowerPaths(of: state) } ?? []
            let images = engine.images
            try images.unpackLayer(
                FDSource(store.blobs.open(blob.digest), subject: "blob \(blob.digest)"), as: layer.diffID,
                above: parent, blob: blob.digest,
                lower: { () throws(ShaleError) in try images.directories(lowers) },
                cancellation: operation.cancellation)
        }
        return StepLayer(descriptor: blob, diffID: layer.diffID, summary: found.step.summary)
    }
}

extension StageState {
    /// The config that a step of that text and layer leads to.
    func config(after createdBy: String, layer: Digest?, at moment: Timestamp) -> ImageConfig {
        var config = config
        config.append(History(created: moment, createdBy: createdBy, author: config.author), layer: layer)
        config.created = moment
        return config
    }
}
