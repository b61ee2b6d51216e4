import Basics
import Images
import Linux
import OCI
import Stores
import Synchronization

extension BuildEngine {
    /// How many layers are uploaded at the same time.
    private static let uploads = 3

    /// Writes the steps of a finished build to shared caches.
    ///
    /// Without `mode=max` only the steps that the images are built on are written: one image for each platform. A cache that cannot be written is
    /// reported
    /// in a line and does not fail the build. Throws only `cancelled`.
    func share(
        _ taken: [TakenStep], of images: [Digest], to places: [CachePlace], _ operation: OperationContext
    ) throws(ShaleError) {
        for place in places {
            let steps = place.holdsAllStages ? taken : images.flatMap { Self.steps(taken, leadingTo: $0) }
            var seen: Set<Digest> = []
            let shared = SharedSteps(steps: steps.map(\.shared).filter { seen.insert($0.key).inserted })
            do throws(ShaleError) {
                switch place.location {
                case .folder(let path, let tag):
                    try write(shared, to: LayoutFolder(making: path), tagged: tag, operation)
                case .registry(let reference): try send(shared, to: reference, operation)
                }
                let count = shared.steps.count
                operation.note("cache \(place.name): \(count) step\(count == 1 ? "" : "s") written")
            } catch {
                try operation.cancellation.check()
                operation.note("cache \(place.name): not written: \(error.description)")
            }
        }
    }

    /// The steps that an image is built on, the first one first.
    private static func steps(_ taken: [TakenStep], leadingTo image: Digest) -> [TakenStep] {
        let byImage = Dictionary(taken.map { ($0.image.id, $0) }) { first, _ in first }
        var chain: [TakenStep] = []
        var seen: Set<Digest> = []
        var next: Digest? = image
        while let id = next, seen.insert(id).inserted, let step = byImage[id] {
            chain.append(step)
            next = step.parent
        }
        return chain.reversed()
    }

    private func write(
        _ steps: SharedSteps, to folder: LayoutFolder, tagged tag: String, _ operation: OperationContext
    ) throws(ShaleError) {
        let document = try steps.document()
        let manifest = steps.manifest(around: document)
        let bytes = Array(manifest.document.text().utf8)
        var entry = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(bytes), size: Int64(bytes.count),
            annotations: [Annotation.refName: tag])
        try folder.expect(manifest.layers + [manifest.config, entry])
        for layer in manifest.layers where try !folder.has(layer) {
            try folder.add(layer, from: store.blobs.open(layer.digest), operation.cancellation)
        }
        try folder.add(document)
        try folder.add(bytes)
        entry.artifactType = SharedSteps.artifactType
        try folder.name(entry)
        try folder.sweep()
    }

    private func send(
        _ steps: SharedSteps, to reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) {
        let packed = try packed(steps, to: reference, operation)
        let document = try packed.document()
        let manifest = packed.manifest(around: document)
        try images.send(document, as: manifest.config, to: reference, operation)
        try images.pushDocument(
            TransferDocument(Array(manifest.document.text().utf8), mediaType: MediaType.ociManifest), to: reference,
            operation)
    }

    /// Uploads the layers compressed, and returns the steps with the descriptors of the compressed layers.
    private func packed(
        _ steps: SharedSteps, to reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> SharedSteps {
        let layers = Set(steps.steps.compactMap { $0.layer?.blob }).sorted { $0.digest < $1.digest }
        let sent = Mutex<[Digest: Descriptor]>([:])
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(layers, limit: Self.uploads, stopping: stopping) { layer throws(ShaleError) in
            let packed = try images.uploadPacked(
                layer, to: reference, OperationContext(cancellation: stopping, tell: operation.tell))
            sent.withLock { $0[layer.digest] = packed }
        }
        let names = sent.withLock { $0 }
        var copy = steps
        for place in copy.steps.indices {
            guard let blob = copy.steps[place].layer?.blob else { continue }
            copy.steps[place].layer?.blob = names[blob.digest] ?? blob
        }
        return copy
    }
}
