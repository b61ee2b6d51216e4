import Basics
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

/// A step of a build that was carried out or found in the cache, with its keys.
///
/// Shared caches are written from these.
struct TakenStep: Sendable {
    var key: Digest
    var linkKey: Digest?
    var parent: Digest?
    var image: Image
    var summary: StepSummary

    /// The step as it is written into a shared cache.
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
    /// Takes a step from a shared cache: downloads its layer and makes the image's config here.
    ///
    /// The config must have the digest that the cache names for the step's image. This refuses an entry that is stored
    /// under
    /// another step's key or that names another step's layer. Returns `nil` when no cache has the step.
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
                // A cancellation is reported by the check before the next step.
                if error.code == .cancelled { return nil }
                caches.markBroken(found, error)
            }
        }
        return nil
    }

    /// The layer of a linked copy (`COPY --link`) from a shared cache; `nil` when no cache has it.
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

    /// Brings a layer of a shared cache into the store.
    ///
    /// The blob is checked by its digest, the tar by its diff ID.
    ///
    /// Without a `state` there are no layers below. A layer that needs them is then refused.
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
        // A compressed blob may hold any tar. Only unpacking shows that the tar has this diff ID.
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
    /// The config after a step with this history line, layer and time.
    func config(after createdBy: String, layer: Digest?, at moment: Timestamp) -> ImageConfig {
        var config = config
        config.append(History(created: moment, createdBy: createdBy, author: config.author), layer: layer)
        config.created = moment
        return config
    }
}
